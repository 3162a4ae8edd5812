"""A mail relay: what the contract does not know of SMTP, against a real server (aiosmtpd)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from schemas.delivery import Delivery
from schemas.vocabulary import Channel, Reason
from sinks.email.smtp import Smtp
from sinks.email.smtp_relay import KEPT
from sinks.http.client import BEFORE_CALL
from sinks.provider import Fault, Outcome, PermanentFailure, Sent, TransientFailure
from tests.patience import PATIENCE, ended, until
from tests.sinks.relay import BREAK, relaying, sending
from tests.sinks.requests.recorder import delivery
from tests.sinks.rig import Case

SMTP = Case(
    kind=Smtp,
    channel=Channel.EMAIL,
    address="user{}@example.com",
    invalid="nobody",
    dead=Reason.UNREGISTERED,
    misconfigured=[
        ({"smtp_url": ""}, "TOCSIN_SMTP_URL is no smtp"),
        ({"smtp_url": "https://relay.example.com"}, "TOCSIN_SMTP_URL is no smtp"),
        ({"smtp_url": "smtp:///x"}, "TOCSIN_SMTP_URL is no smtp"),
        ({"smtp_url": "smtp://relay.example.com:x"}, "TOCSIN_SMTP_URL is no smtp"),
        ({"smtp_url": "smtp://["}, "TOCSIN_SMTP_URL is no smtp"),
        ({"smtp_url": "smtp://u:p@relay"}, "TOCSIN_SMTP_URL names a user"),
        ({"smtp_user": ""}, "TOCSIN_SMTP_USER and TOCSIN_SMTP_PASSWORD go together"),
        ({"smtp_password": ""}, "TOCSIN_SMTP_USER and TOCSIN_SMTP_PASSWORD go together"),
        (
            {"smtp_url": "smtp://relay.example.com", "smtp_starttls": False},
            "TOCSIN_SMTP_STARTTLS is off: the password would be in the clear",
        ),
        ({"smtp_ca_file": "/nowhere/ca.pem"}, "TOCSIN_SMTP_CA_FILE can't be read: No such file"),
        ({"email_from": "me"}, "TOCSIN_EMAIL_FROM"),
        ({"email_from": "me too@example.com"}, "TOCSIN_EMAIL_FROM"),
        ({"smtp_bounce_domain": "b .example"}, "TOCSIN_SMTP_BOUNCE_DOMAIN is no domain"),
        ({"smtp_bounce_domain": "münchen.example"}, "TOCSIN_SMTP_BOUNCE_DOMAIN is no domain"),
        (
            {"smtp_bounce_domain": "b.example.com", "signing_key": ""},
            "TOCSIN_SMTP_BOUNCE_DOMAIN needs TOCSIN_SIGNING_KEY",
        ),
    ],
    speaks_http=False,
)


def mail(number: int = 7, address: str = "ada@example.com", **fields: Any) -> Delivery:
    return delivery(Channel.EMAIL, address, number, **fields)


async def test_starttls_and_a_password(tmp_path: Path) -> None:
    async with (
        relaying(tmp_path, auth_required=True) as peer,
        sending(peer, smtp_user="ann", smtp_password="secret") as provider,
    ):
        assert await provider.send_one(mail()) == Sent("1")
        assert peer.logins == [("PLAIN", b"ann", b"secret")]
        assert peer.connections[0].session.ssl is not None


async def test_tls_from_the_first_byte(tmp_path: Path) -> None:
    async with relaying(tmp_path, implicit=True) as peer, sending(peer) as provider:
        await provider.check()
        assert await provider.send_one(mail()) == Sent("1")


async def test_a_relay_that_knows_login_alone(tmp_path: Path) -> None:
    async with (
        relaying(tmp_path, auth_required=True, auth_exclude_mechanism=["PLAIN"]) as peer,
        sending(peer, smtp_user="ann", smtp_password="secret") as provider,
    ):
        assert await provider.send_one(mail()) == Sent("1")
        assert peer.logins == [("LOGIN", b"ann", b"secret")]


async def test_a_relay_that_knows_neither(tmp_path: Path) -> None:
    async with (
        relaying(tmp_path, auth_exclude_mechanism=["PLAIN", "LOGIN"]) as peer,
        sending(peer, smtp_user="ann", smtp_password="secret") as provider,
    ):
        outcome = await provider.send_one(mail())
        assert outcome == TransientFailure(Reason.UNAUTHORIZED, "it offers no AUTH PLAIN or LOGIN")


async def test_a_wrong_password_is_tried_once_and_never_shown(tmp_path: Path) -> None:
    async with (
        relaying(tmp_path, auth_required=True) as peer,
        sending(peer, smtp_user="bob", smtp_password="hunter2") as provider,
    ):
        outcome = await provider.send_one(mail())
        assert outcome == TransientFailure(Reason.UNAUTHORIZED, "535 5.7.8")
        assert len(peer.logins) == 1
        assert peer.taken == []


async def test_no_mail_goes_in_the_clear_unless_a_setting_says_so(tmp_path: Path) -> None:
    async with relaying(tmp_path, starttls=False) as peer:
        async with sending(peer) as provider:
            outcome = await provider.send_one(mail())
            assert isinstance(outcome, TransientFailure)
            assert (outcome.reason, outcome.uncertain) == (Reason.UNAUTHORIZED, False)
            assert "STARTTLS" in outcome.detail
            assert peer.taken == []
        async with sending(peer, smtp_starttls=False) as provider:
            assert await provider.send_one(mail()) == Sent("1")


@pytest.mark.parametrize("implicit", [True, False])
async def test_a_certificate_of_somebody_else(tmp_path: Path, implicit: bool) -> None:
    other = tmp_path / "other"
    other.mkdir()
    async with (
        relaying(tmp_path, implicit=implicit) as peer,
        relaying(other) as stranger,
        sending(peer, smtp_ca_file=stranger.ca_file) as provider,
    ):
        outcome = await provider.send_one(mail())
        assert isinstance(outcome, TransientFailure)
        assert outcome.reason is Reason.UNAUTHORIZED
        assert outcome.detail.startswith("its certificate: ")
        assert peer.taken == []


async def test_a_connection_is_used_again_and_ended_with_a_word(tmp_path: Path) -> None:
    async with relaying(tmp_path) as peer:
        async with sending(peer) as provider:
            for number in range(5):
                assert await provider.send_one(mail(number)) == Sent(str(number + 1))
            assert len(peer.connections) == 1
        assert peer.connections[0].transport is None or peer.connections[0].transport.is_closing()


async def test_no_more_connections_than_the_setting_says(tmp_path: Path) -> None:
    async with relaying(tmp_path) as peer, sending(peer, smtp_connections=3) as provider:
        peer.may_answer.clear()
        calls = asyncio.gather(*(provider.send_one(mail(number)) for number in range(12)))
        await until(lambda: len(peer.taken) == 3)
        peer.may_answer.set()
        outcomes = await ended(calls)
        assert all(isinstance(outcome, Sent) for outcome in outcomes)
        assert len(peer.connections) == 3
        assert (provider.calls_per_server, provider.server_of(mail())) == (3, "smtp")


async def test_what_is_refused_is_reset_and_the_next_one_goes_by_the_same_connection(
    tmp_path: Path,
) -> None:
    async with relaying(tmp_path) as peer, sending(peer) as provider:
        peer.replies["RCPT"] = ["550 5.1.1 User unknown", "452 4.2.2 over quota"]
        first = await provider.send_one(mail(1))
        assert first == PermanentFailure(Reason.UNREGISTERED, "550 5.1.1 User unknown")
        second = await provider.send_one(mail(2))
        assert isinstance(second, TransientFailure)
        assert (second.whose, second.after) == (Fault.ADDRESS, 1800.0)
        assert await provider.send_one(mail(3)) == Sent("1")
        once = ["MAIL", "RCPT", "RSET"]
        assert peer.commands == [*once, *once, "MAIL", "RCPT", "DATA"]
        assert len(peer.connections) == 1
        assert peer.taken[0].recipients == ("ada@example.com",)


@pytest.mark.parametrize("reset", [BREAK, "421 4.4.2 Error: timeout exceeded", "500 what?"])
async def test_a_connection_that_can_not_be_reset_is_given_up(tmp_path: Path, reset: str) -> None:
    async with relaying(tmp_path) as peer, sending(peer) as provider:
        peer.replies |= {"RCPT": ["550 5.1.1 User unknown"], "RSET": [reset]}
        assert isinstance(await provider.send_one(mail(1)), PermanentFailure)
        assert await provider.send_one(mail(2)) == Sent("1")
        assert len(peer.connections) == 2


@pytest.mark.parametrize(
    ("command", "reply", "expected"),
    [
        ("DATA", "554 5.6.0 spam", PermanentFailure(Reason.REJECTED, "554 5.6.0 spam")),
        (
            "RCPT",
            "550 5.1.1 User unknown",
            PermanentFailure(Reason.UNREGISTERED, "550 5.1.1 User unknown"),
        ),
    ],
)
async def test_what_was_refused_stays_so_though_the_relay_hangs_then(
    tmp_path: Path, command: str, reply: str, expected: PermanentFailure
) -> None:
    async with relaying(tmp_path) as peer, sending(peer, provider_timeout=0.5) as provider:
        peer.replies[command] = [reply] * 1000
        peer.hangs_at = "RSET"
        outcome: Outcome = TransientFailure(Reason.NONE, "")
        while "RSET" not in peer.commands:  # on a busy machine the time may be up before
            outcome = await provider.send_one(mail())
        assert outcome == expected


@pytest.mark.parametrize("ending", [BREAK, "421 4.7.0 Too many messages in this connection"])
async def test_a_kept_connection_that_has_ended_costs_nobody_a_try(
    tmp_path: Path, ending: str
) -> None:
    async with relaying(tmp_path) as peer, sending(peer) as provider:
        assert await provider.send_one(mail(1)) == Sent("1")
        peer.replies["MAIL"] = [ending]
        assert await provider.send_one(mail(2)) == Sent("2")
        assert len(peer.connections) == 2


async def test_a_server_that_ended_all_kept_connections(tmp_path: Path) -> None:
    async with relaying(tmp_path) as peer, sending(peer) as provider:
        assert await provider.send_one(mail(1)) == Sent("1")
        transport = peer.connections[0].transport
        assert transport is not None
        transport.abort()
        assert await provider.send_one(mail(2)) == Sent("2")


async def test_a_new_connection_that_is_refused_is_no_stale_one(tmp_path: Path) -> None:
    async with relaying(tmp_path) as peer, sending(peer) as provider:
        peer.replies["MAIL"] = ["421 4.3.2 Service shutting down"] * 2
        outcome = await provider.send_one(mail(1))
        assert outcome == TransientFailure(Reason.PROVIDER_ERROR, "421 4.3.2 Service shutting down")
        assert len(peer.connections) == 1


async def test_what_is_kept_for_long_is_not_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with relaying(tmp_path) as peer, sending(peer) as provider:
        assert await provider.send_one(mail(1)) == Sent("1")
        loop, ahead = asyncio.get_running_loop(), KEPT + 1
        time = loop.time
        monkeypatch.setattr("sinks.email.smtp_relay._now", lambda: time() + ahead)
        assert await provider.send_one(mail(2)) == Sent("2")
        assert len(peer.connections) == 2


@pytest.mark.parametrize(
    ("command", "uncertain"), [("MAIL", False), ("RCPT", False), ("DATA", True)]
)
async def test_a_connection_that_breaks_is_uncertain_after_the_final_dot_alone(
    tmp_path: Path, command: str, uncertain: bool
) -> None:
    async with relaying(tmp_path) as peer, sending(peer) as provider:
        peer.replies[command] = [BREAK]
        outcome = await provider.send_one(mail())
        assert isinstance(outcome, TransientFailure)
        assert (outcome.reason, outcome.uncertain) == (Reason.UNREACHABLE, uncertain)
        assert len(peer.taken) == uncertain


SHORT = 0.5  # seconds, where the time that a call has is to be over


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("250 2.0.0 Ok: queued as 7", Sent("7")),
        ("554 5.6.0 spam", PermanentFailure(Reason.REJECTED, "554 5.6.0 spam")),
    ],
)
async def test_a_relay_may_look_through_a_mail_for_longer_than_a_call_may_take(
    tmp_path: Path, reply: str, expected: Outcome
) -> None:
    """Else it takes the mail all the same, and the next attempt makes a second one of it."""
    fields: dict[str, Any] = {"provider_timeout": SHORT, "smtp_final_timeout": PATIENCE}
    async with relaying(tmp_path) as peer, sending(peer, **fields) as provider:
        peer.replies["DATA"] = [reply]
        peer.may_answer.clear()
        sending_it = asyncio.create_task(provider.send_one(mail()))
        while not peer.taken:
            if sending_it.done():  # on a busy machine the time may be up before the mail is there
                assert isinstance(sending_it.result(), TransientFailure)
                sending_it = asyncio.create_task(provider.send_one(mail()))
            await asyncio.sleep(0.01)
        await asyncio.sleep(2 * SHORT)
        assert not sending_it.done()
        peer.may_answer.set()
        assert await sending_it == expected
        assert len(peer.taken) == 1


async def test_a_relay_that_takes_the_mail_and_never_answers(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"provider_timeout": PATIENCE, "smtp_final_timeout": 0.5}
    async with relaying(tmp_path) as peer, sending(peer, **fields) as provider:
        peer.may_answer.clear()
        outcome: Outcome = TransientFailure(Reason.NONE, "")
        while not peer.taken:  # on a busy machine the time may be up before the mail is there
            outcome = await provider.send_one(mail())
        assert outcome == TransientFailure(Reason.TIMEOUT, "no reply within 0.5 s", uncertain=True)


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Reason.UNREADABLE_REPLY),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Reason.UNREADABLE_REPLY),
        (b"554 5.7.1 go away\r\n", Reason.UNAUTHORIZED),
        (b"421 4.3.2 closing\r\n", Reason.PROVIDER_ERROR),
        (b"", Reason.UNREACHABLE),
    ],
)
async def test_whoever_else_answers_there_takes_nothing(
    tmp_path: Path, greeting: bytes, reason: Reason
) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server, relaying(tmp_path) as peer:
        peer.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with sending(peer, provider_timeout=PATIENCE) as provider:
            outcome = await provider.send_one(mail())
    assert isinstance(outcome, TransientFailure)
    assert (outcome.reason, outcome.uncertain) == (reason, False)


async def test_no_call_is_made_once_the_sink_may_make_none(tmp_path: Path) -> None:
    class Lost(Exception):
        pass

    def refuse() -> None:
        raise Lost

    async with relaying(tmp_path) as peer, sending(peer) as provider:
        before = BEFORE_CALL.set(refuse)
        try:
            with pytest.raises(Lost):
                await provider.send_one(mail())
        finally:
            BEFORE_CALL.reset(before)
        assert peer.commands == []
        assert await provider.send_one(mail()) == Sent("1")
