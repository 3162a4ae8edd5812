"""Logins that are renewed while a client runs: each connection is opened with those of its time."""

from typing import Any

from aiokafka.conn import AIOKafkaConnection
from pydantic import SecretStr

from pipeline.tls import RenewedContext


class Password(str):
    """A password as Kafka's client takes one, of the time when the client was made."""

    secret: SecretStr

    @classmethod
    def of(cls, secret: SecretStr) -> "Password":
        """Of what may change."""
        password = cls(secret.get_secret_value())
        password.secret = secret
        return password


def renew_logins() -> None:
    """Have every connection that is opened use the present password, certificate and authorities;
    more calls change nothing.

    Clients keep what they were made with and have no hook for it, so `connect` is wrapped.
    """
    connect = AIOKafkaConnection.connect
    if getattr(connect, "renews", False):
        return

    async def renewing(connection: AIOKafkaConnection) -> Any:
        password, context = connection._sasl_plain_password, connection._ssl_context  # noqa: SLF001
        if isinstance(password, Password):
            connection._sasl_plain_password = password.secret.get_secret_value()  # noqa: SLF001
        if isinstance(context, RenewedContext):
            context.renew()
        return await connect(connection)

    renewing.renews = True  # type: ignore[attr-defined]
    AIOKafkaConnection.connect = renewing
