"""A mail relay: STARTTLS first, then a password, then mail."""

import asyncio
import email.policy
import hmac
import logging
import secrets
import ssl
import weakref
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from embedded.simulators.email.mailbox import address_of
from embedded.simulators.faults import Faults
from schemas.vocabulary import Channel
from sinks.email.smtp import IDS

HOST = "127.0.0.1"
MOST_BYTES = 25 << 20
PARSER = BytesParser(EmailMessage, policy=email.policy.SMTP)

# By the HTTP status that a fault has: what a relay says in such a case.
REPLIES = {
    400: "554 5.6.0 Message content is not acceptable",
    401: "530 5.7.0 Authentication required",
    403: "554 5.7.1 Relay access denied",
    429: "421 4.7.0 Too many messages",
    500: "451 4.3.0 Temporary lookup failure",
    502: "451 4.3.0 Queue file write error",
    503: "421 4.3.2 Service shutting down",
    504: "451 4.3.5 Server configuration problem",
}


class SmtpSimulator:
    """Takes mail from whoever knows the password."""

    name = "smtp"

    def __init__(self, user: str, password: str, log: AcceptLog, faults: Faults) -> None:
        self._user = user.encode()
        self._password = password.encode()
        self._log = log
        self._faults = faults
        self._answers: set[asyncio.Task[str]] = set()
        faults.know(self.name)

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        """Check user and password."""
        good = (
            isinstance(data, LoginPassword)
            and hmac.compare_digest(data.login, self._user)
            and hmac.compare_digest(data.password, self._password)
        )
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(  # noqa: N802 - named by aiosmtpd
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: Sequence[str],
    ) -> str:
        """Take a recipient, or say why not."""
        if address_of(address) is None:
            return "501 5.1.3 Bad recipient address syntax"
        if self._faults.is_dead(self.name, address):
            return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the mail, or do what the present fault is, also if the caller gives up meanwhile."""
        answer = asyncio.create_task(self._answer(server, session, envelope))
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)
        return await asyncio.shield(answer)

    async def _answer(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        injector = self._faults.injector(self.name)
        if injector is None:
            return self._take(envelope)
        drawn, fault = injector.draw(), injector.fault
        await asyncio.sleep(fault.latency)
        if drawn.hangs:
            await injector.cleared()
            return _cut_off(server)
        if drawn.resets:
            return _cut_off(server)
        if drawn.fails:
            return reply_of(fault.status, fault.retry_after)
        taken = self._take(envelope)
        if drawn.drops:
            return _cut_off(server)
        return f"<html>{_password(session)!r}</html>" if drawn.garbles else taken

    def _take(self, envelope: Envelope) -> str:
        content = envelope.content
        mail = PARSER.parsebytes(content if isinstance(content, bytes) else b"")
        notification, _, delivery = str(mail.get(IDS, "")).strip().partition(".")
        reference = secrets.token_hex(6).upper()
        html = _text(mail, "html")
        self._log.append(
            self._log.with_mail(
                Accepted(
                    at=now(),
                    provider=self.name,
                    channel=Channel.EMAIL,
                    notification_id=notification,
                    delivery_id=delivery,
                    address=recipient,
                    title=str(mail.get("Subject", "")),
                    digest=digest_of(_text(mail, "plain") or html),
                    reference=reference,
                ),
                html,
            )
            for recipient in envelope.rcpt_tos
        )
        return f"250 2.0.0 Ok: queued as {reference}"


def reply_of(status: int, retry_after: int | str | None) -> str:
    """What a relay says in place of this status, with how long to wait if that is given."""
    reply = REPLIES.get(status, REPLIES[500 if status >= 500 else 400])
    if isinstance(retry_after, str):
        try:
            retry_after = round(parsedate_to_datetime(retry_after).timestamp() - now())
        except ValueError:
            return f"{reply}, try again {retry_after}"
    return reply if retry_after is None else f"{reply}, try again in {retry_after} seconds"


@asynccontextmanager
async def serving_smtp(simulator: SmtpSimulator, certificate: Path) -> AsyncIterator[str]:
    """Listen on a free port of loopback with this key and certificate; the relay's URL."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    # It notes each command, and at each login that an attribute which it sets itself is deprecated.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    loop = asyncio.get_running_loop()
    connections: weakref.WeakSet[SMTP] = weakref.WeakSet()

    def connected() -> SMTP:
        connection = SMTP(
            simulator,
            hostname="relay.example.com",
            data_size_limit=MOST_BYTES,
            enable_SMTPUTF8=True,
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=simulator.authenticate,
            loop=loop,
        )
        connections.add(connection)
        return connection

    server = await loop.create_server(connected, HOST, 0)
    try:
        yield f"smtp://{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for connection in connections:
            if connection.transport is not None:
                connection.transport.abort()
        await server.wait_closed()


def _text(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    text = payload.decode().replace("\r\n", "\n") if isinstance(payload, bytes) else ""
    # The line break before the final dot is none of the text's, but what is in base64 has none.
    is_framed = mail.is_multipart() or part["Content-Transfer-Encoding"] == "base64"
    return text if is_framed else text.removesuffix("\n")


def _cut_off(server: SMTP) -> str:
    if server.transport is not None:
        server.transport.abort()
    return "421 4.3.0 Gone"  # goes nowhere: the connection is gone


def _password(session: Session) -> bytes:
    """What the caller gave, so that one who logs odd replies is found out."""
    return session.auth_data.password if isinstance(session.auth_data, LoginPassword) else b""
