"""Connections to one mail relay: opened as they are needed, kept while in use, and bounded."""

import asyncio
import re
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)
from aiosmtplib.response import SMTPResponse

from pipeline.settings import Settings
from schemas.errors import Misconfigured
from schemas.vocabulary import Reason
from sinks.email.smtp_outcomes import Stage, outcome_of, unreadable
from sinks.http.client import BEFORE_CALL
from sinks.provider import PermanentFailure, TransientFailure

KEPT = 25.0
"""Seconds that an unused connection is kept: below the 30 after which some relays end one."""
GOODBYE = 1.0  # seconds that a relay has to say it
PORTS = {"smtp": 587, "smtps": 465}
BROKEN = (SMTPServerDisconnected, OSError)
"""What the client raises where a connection ends, or can't be opened."""
_DOTS = re.compile(rb"^\.", re.MULTILINE)


class Envelope(NamedTuple):
    """What stands around a mail: `token` names it to whoever reports on it, where there is one."""

    sender: str
    recipient: str
    token: str = ""

    @property
    def is_ascii(self) -> bool:
        """Whether any relay can read it."""
        return self.sender.isascii() and self.recipient.isascii()


class _Kept(NamedTuple):
    client: SMTP
    since: float


class _Progress:
    """How far a mail has come, what was said of it once that is known, and until when it may take.

    A relay that looks through a mail before it answers takes longer for that than for all else, and
    what it takes once nobody waits any more is sent again: so it has a time of its own for that.
    """

    def __init__(self, limit: asyncio.Timeout, seconds: float) -> None:
        self.stage = Stage.GREETING
        self.outcome: TransientFailure | PermanentFailure | None = None
        self.seconds = seconds
        self._limit = limit

    def may_take(self, seconds: float) -> None:
        """The relay has so long for what is asked of it now."""
        self.seconds = seconds
        self._limit.reschedule(asyncio.get_running_loop().time() + seconds)


class Stale(Exception):
    """A connection that was kept has ended meanwhile, before it was asked to take anything."""


class Relay:
    """A relay, as the settings name it."""

    def __init__(self, settings: Settings) -> None:
        self._complaint = ""
        self._scheme, self._host, self._port = "", "", 0
        try:
            url = urlsplit(settings.smtp_url)
            self._scheme, self._host = url.scheme, url.hostname or ""
            self._port = url.port or PORTS.get(url.scheme, 0)
            if url.username or url.password:
                self._complaint = "names a user: that is for TOCSIN_SMTP_USER"
        except ValueError:
            self._scheme = ""
        if self._scheme not in PORTS or not self._host:
            self._complaint = "is no smtp: or smtps: URL"
        self._starttls = settings.smtp_starttls
        self._ca_file = settings.smtp_ca_file
        self._user = settings.smtp_user
        self._password = settings.smtp_password
        self._timeout = settings.provider_timeout
        self._final_timeout = settings.smtp_final_timeout
        self._room = asyncio.Semaphore(settings.smtp_connections)
        self._kept: deque[_Kept] = deque()
        self._tls: ssl.SSLContext | None = None

    def check(self) -> None:
        """Raise Misconfigured, naming the setting; makes no call."""
        if self._complaint:
            raise Misconfigured(f"TOCSIN_SMTP_URL {self._complaint}.")
        if bool(self._user) != bool(self._password.get_secret_value()):
            raise Misconfigured("TOCSIN_SMTP_USER and TOCSIN_SMTP_PASSWORD go together.")
        if self._user and not self._is_private:
            raise Misconfigured("TOCSIN_SMTP_STARTTLS is off: the password would be in the clear.")
        try:
            self._context()
        except (OSError, ssl.SSLError) as error:
            said = getattr(error, "strerror", None) or type(error).__name__
            raise Misconfigured(f"TOCSIN_SMTP_CA_FILE can't be read: {said}.") from None

    async def send(
        self, envelope: Envelope, mail: bytes
    ) -> SMTPResponse | TransientFailure | PermanentFailure:
        """Hand over one mail: the reply to it, or why it was not taken.

        Raises nothing for what the relay or the network does. Connections beyond the bound are
        waited for; the time-out runs from then on.
        """
        async with self._room:
            limit = asyncio.timeout(self._timeout)
            progress = _Progress(limit, self._timeout)
            try:
                async with limit:
                    return await self._send(envelope, mail, progress)
            except TimeoutError:
                if progress.outcome is not None:
                    return progress.outcome
                said = f"no reply within {progress.seconds:g} s"
                return TransientFailure(
                    Reason.TIMEOUT, said, uncertain=progress.stage is Stage.MAIL
                )

    async def log_in(self) -> TransientFailure | PermanentFailure | None:
        """Open a connection, log in and say goodbye; why that can't be, None where it can."""
        limit = asyncio.timeout(self._timeout)
        progress = _Progress(limit, self._timeout)
        try:
            async with limit:
                client = await self._opened(progress)
        except TimeoutError:
            return TransientFailure(Reason.TIMEOUT, f"no reply within {progress.seconds:g} s")
        if not isinstance(client, SMTP):
            return client
        await _goodbye(client)
        return None

    async def close(self) -> None:
        """Say goodbye on every connection that is kept, and end it."""
        clients = [kept.client for kept in self._kept]
        self._kept.clear()
        await asyncio.gather(*map(_goodbye, clients))

    async def _send(
        self, envelope: Envelope, mail: bytes, progress: _Progress
    ) -> SMTPResponse | TransientFailure | PermanentFailure:
        while (client := self._take()) is not None:
            with suppress(Stale):
                return await self._hand_over(client, envelope, mail, progress, is_new=False)
        opened = await self._opened(progress)
        if not isinstance(opened, SMTP):
            return opened
        return await self._hand_over(opened, envelope, mail, progress, is_new=True)

    async def _opened(self, progress: _Progress) -> SMTP | TransientFailure | PermanentFailure:
        try:
            return await self._open(progress)
        except SMTPResponseException as error:
            return _replied(progress.stage, error.code, error.message)
        except SMTPTimeoutError as error:
            return TransientFailure(Reason.TIMEOUT, str(error))
        except BROKEN as error:
            return _unreachable(error, progress.stage)
        except SMTPException as error:
            # What it takes to use the relay as the settings want it is not among what it offers.
            return TransientFailure(Reason.UNAUTHORIZED, str(error))

    def _take(self) -> SMTP | None:
        """A connection that is kept, the one used last first; those kept too long are ended."""
        oldest = _now() - KEPT
        while self._kept and self._kept[0].since < oldest:
            self._kept.popleft().client.close()
        while self._kept:
            client = self._kept.pop().client
            if client.is_connected:
                return client
            client.close()
        return None

    async def _open(self, progress: _Progress) -> SMTP:
        client = SMTP(
            hostname=self._host,
            port=self._port,
            local_hostname=await asyncio.to_thread(_own_name),
            timeout=None,
            use_tls=self._scheme == "smtps",
            start_tls=False,
            tls_context=self._context(),
        )
        try:
            await client.connect()
            await client.ehlo()
            if self._scheme == "smtp" and self._starttls:
                await client.starttls()
                await client.ehlo()
            if self._user:
                progress.stage = Stage.LOGIN
                await self._log_in(client)
        except BaseException:
            client.close()
            raise
        return client

    async def _log_in(self, client: SMTP) -> None:
        # One attempt: some relays lock accounts after a few that fail.
        if "plain" in client.server_auth_methods:
            await client.auth_plain(self._user, self._password.get_secret_value())
        elif "login" in client.server_auth_methods:
            await client.auth_login(self._user, self._password.get_secret_value())
        else:
            raise SMTPException("it offers no AUTH PLAIN or LOGIN")

    async def _hand_over(
        self, client: SMTP, envelope: Envelope, mail: bytes, progress: _Progress, *, is_new: bool
    ) -> SMTPResponse | TransientFailure | PermanentFailure:
        """Raises Stale, so that another connection is tried."""
        progress.stage = Stage.SENDER
        is_usable = False
        try:
            if not envelope.is_ascii and not client.supports_extension("smtputf8"):
                is_usable = True
                said = "the relay takes no address with other letters before the @"
                return PermanentFailure(Reason.INVALID_ADDRESS, said, lasting=False)
            if (before_call := BEFORE_CALL.get()) is not None:
                before_call()
            response = await self._converse(client, envelope, mail, progress)
            if response.code == 421 and progress.stage is Stage.SENDER and not is_new:
                raise Stale  # many take only so many mails by one connection
            if progress.stage is Stage.MAIL and 200 <= response.code < 300:
                is_usable = True
                return response
            # Known from now on, even if the relay does not answer what is asked next.
            progress.outcome = _replied(progress.stage, response.code, response.message)
            progress.may_take(self._timeout)
            is_usable = await _is_ready_again(client, response.code)
            return progress.outcome
        except SMTPResponseException:
            return unreadable(progress.stage)
        except BROKEN as error:
            if progress.stage is Stage.SENDER and not is_new:
                raise Stale from None
            return _unreachable(error, progress.stage)
        finally:
            if is_usable and client.is_connected:
                self._kept.append(_Kept(client, _now()))
            else:
                client.close()

    async def _converse(
        self, client: SMTP, envelope: Envelope, mail: bytes, progress: _Progress
    ) -> SMTPResponse:
        """The first reply that is no agreement, or the one to the mail."""
        encoding = "ascii" if envelope.is_ascii else "utf-8"
        options = _options(client, envelope, len(mail))
        for stage, command in (
            (Stage.SENDER, [f"MAIL FROM:<{envelope.sender}>", *options]),
            (Stage.RECIPIENT, [f"RCPT TO:<{envelope.recipient}>"]),
        ):
            progress.stage = stage
            response = await client.execute_command(*(part.encode(encoding) for part in command))
            if response.code not in (250, 251, 252):
                return response
        progress.stage = Stage.DATA
        response = await client.execute_command(b"DATA")
        if response.code != 354:
            return response
        protocol = client.protocol
        if protocol is None:
            raise SMTPServerDisconnected("Connection lost")
        progress.stage = Stage.MAIL
        progress.may_take(self._final_timeout)
        protocol.write(_DOTS.sub(b"..", mail) + b"\r\n.\r\n")
        return await protocol.read_response()

    @property
    def _is_private(self) -> bool:
        """Whether nobody on the way reads along."""
        is_here = self._host in ("127.0.0.1", "::1", "localhost")
        return self._scheme == "smtps" or self._starttls or is_here

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            # With a file of authorities, only these count.
            self._tls = ssl.create_default_context(cafile=self._ca_file)
        return self._tls


@lru_cache
def _own_name() -> str:
    """What this machine says who it is: its whole name or, without one, its address."""
    name = socket.getfqdn()
    if "." in name and name.isascii():
        return name
    try:
        return f"[{socket.gethostbyname(socket.gethostname())}]"
    except OSError:
        return "[127.0.0.1]"


def _now() -> float:
    return asyncio.get_running_loop().time()


def _options(client: SMTP, envelope: Envelope, size: int) -> Sequence[str]:
    """What MAIL says beside the sender, of what the relay understands."""
    options = []
    if client.supports_extension("size"):
        options.append(f"SIZE={size}")
    if not envelope.is_ascii:
        options.append("SMTPUTF8")
    if envelope.token and client.supports_extension("dsn"):
        # A bounce then brings back the token, and of the mail no more than its headers (RFC 3461).
        options += ["RET=HDRS", f"ENVID={envelope.token}"]
    return options


async def _is_ready_again(client: SMTP, code: int) -> bool:
    """Have the relay forget the mail that it did not take; whether it can be given another."""
    if code == 421 or not client.is_connected:
        return False
    try:
        await client.rset()
    except (SMTPException, *BROKEN):
        return False
    return True


async def _goodbye(client: SMTP) -> None:
    with suppress(SMTPException, TimeoutError, *BROKEN):
        async with asyncio.timeout(GOODBYE):
            await client.quit()
    client.close()


def _replied(stage: Stage, code: int, message: str) -> TransientFailure | PermanentFailure:
    return outcome_of(stage, code, message) if 400 <= code < 600 else unreadable(stage)


def _unreachable(error: BaseException, stage: Stage) -> TransientFailure:
    """Where the connection can't be opened, or ends; a false certificate is no network's fault."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TransientFailure(Reason.UNAUTHORIZED, f"its certificate: {cause.verify_message}")
        error, cause = cause, cause.__cause__
    said = getattr(error, "strerror", None) or str(error)
    detail = f"{type(error).__name__}: {said}"
    return TransientFailure(Reason.UNREACHABLE, detail, uncertain=stage is Stage.MAIL)
