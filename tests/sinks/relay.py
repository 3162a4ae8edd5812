"""A real mail server (aiosmtpd) that does as it is told, and keeps what it was sent."""

import asyncio
import email.policy
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, NamedTuple

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from embedded.simulators.certificate import keep_certificate
from pipeline.settings import Settings
from sinks.email.smtp import Smtp
from tests.sinks.requests.recorder import Recorder, Still
from tests.sinks.requests.recorder import settings as known

PARSER = BytesParser(EmailMessage, policy=email.policy.SMTP)


class Taken(NamedTuple):
    """A mail, as the server got it."""

    sender: str
    recipients: tuple[str, ...]
    options: tuple[str, ...]
    content: bytes

    @property
    def mail(self) -> EmailMessage:
        """The mail, as Python's own parser reads it."""
        return PARSER.parsebytes(self.content)


class Peer:
    """What the server does. `replies` are its answers by command, the first of each being next;
    BREAK ends the connection instead."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.commands: list[str] = []
        self.replies: dict[str, list[str]] = {}
        self.logins: list[tuple[str, bytes, bytes]] = []
        self.connections: list[SMTP] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.hangs_at = ""
        self.url = ""
        self.ca_file: Path | None = None

    def _next(self, server: SMTP, command: str, usual: str) -> str:
        self.commands.append(command)
        replies = self.replies.get(command, [])
        reply = replies.pop(0) if replies else usual
        if reply == BREAK and server.transport is not None:
            server.transport.abort()
        return reply

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        """Take whoever is called ann."""
        assert isinstance(data, LoginPassword)
        self.logins.append((mechanism, data.login, data.password))
        return AuthResult(success=data.login == b"ann", handled=False)

    async def handle_MAIL(  # noqa: N802 - named by aiosmtpd
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        sender: str,
        options: Sequence[str],
    ) -> str:
        """The sender."""
        reply = self._next(server, "MAIL", "250 2.1.0 Ok")
        if reply.startswith("2"):
            envelope.mail_from = sender
            envelope.mail_options.extend(options)
        return reply

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: Sequence[str],
    ) -> str:
        """A recipient."""
        reply = self._next(server, "RCPT", "250 2.1.5 Ok")
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_RSET(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Begin anew."""
        reply = self._next(server, "RSET", "250 2.0.0 Ok")
        if self.hangs_at == "RSET":
            await asyncio.Event().wait()
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """A mail."""
        content = envelope.original_content or b""
        sender = envelope.mail_from or ""
        options = tuple(envelope.mail_options)
        self.taken.append(Taken(sender, tuple(envelope.rcpt_tos), options, content))
        await self.may_answer.wait()
        return self._next(server, "DATA", f"250 2.0.0 Ok: queued as {len(self.taken)}")


BREAK = "break"


@asynccontextmanager
async def relaying(
    folder: Path, *, implicit: bool = False, starttls: bool = True, **options: Any
) -> AsyncIterator[Peer]:
    """A server on loopback; it takes TLS by STARTTLS, from the first byte, or not at all."""
    peer = Peer()
    both, peer.ca_file = keep_certificate(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(both)
    loop = asyncio.get_running_loop()
    values: dict[str, Any] = {
        "hostname": "relay.example.com",
        "enable_SMTPUTF8": True,
        "loop": loop,
    }
    if starttls and not implicit:
        values |= {"tls_context": context, "require_starttls": True}
    values |= {"authenticator": peer.authenticate, "auth_require_tls": starttls and not implicit}

    def connected() -> SMTP:
        connection = SMTP(peer, **{**values, **options})
        peer.connections.append(connection)
        return connection

    server = await loop.create_server(connected, "127.0.0.1", 0, ssl=context if implicit else None)
    scheme = "smtps" if implicit else "smtp"
    peer.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield peer
    finally:
        peer.may_answer.set()
        server.close()
        for connection in peer.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await server.wait_closed()


def settings_for(peer: Peer, **fields: Any) -> Settings:
    """The settings by which it is reached."""
    values: dict[str, Any] = {"smtp_url": peer.url, "smtp_ca_file": peer.ca_file, **fields}
    return known(**values)


@asynccontextmanager
async def sending(
    peer: Peer, change: Callable[[Settings], Settings] = lambda s: s, **fields: Any
) -> AsyncIterator[Smtp]:
    """The provider, connected to nothing yet."""
    provider = Smtp(change(settings_for(peer, **fields)), Recorder(), Still())
    try:
        yield provider
    finally:
        await provider.close()
