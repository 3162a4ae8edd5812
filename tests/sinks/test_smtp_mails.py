"""Mails as a relay gets them: addresses, texts, return addresses and tokens."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from policy.tracking.bounce_token import read_token
from schemas.delivery import Content
from schemas.vocabulary import Reason
from sinks.email.smtp import Smtp
from sinks.provider import PermanentFailure, Sent
from tests.sinks.relay import relaying, sending
from tests.sinks.requests.recorder import Recorder, Still, settings
from tests.sinks.test_smtp import mail


@pytest.mark.parametrize("utf8", [True, False])
async def test_other_letters_before_the_at_sign_only_where_the_relay_takes_them(
    tmp_path: Path, utf8: bool
) -> None:
    async with relaying(tmp_path, enable_SMTPUTF8=utf8) as peer, sending(peer) as provider:
        outcome = await provider.send_one(mail(address="jürgen@münchen.example"))
        if utf8:
            (taken,) = peer.taken
            assert outcome == Sent("1")
            assert taken.recipients == ("jürgen@xn--mnchen-3ya.example",)
            assert "SMTPUTF8" in taken.options
            assert taken.mail["To"] == "jürgen@xn--mnchen-3ya.example"
        else:
            assert isinstance(outcome, PermanentFailure)
            assert (outcome.reason, outcome.lasting) == (Reason.INVALID_ADDRESS, False)
            assert peer.commands == []
        assert isinstance(await provider.send_one(mail(address="jo@münchen.example")), Sent)
        assert peer.taken[-1].recipients == ("jo@xn--mnchen-3ya.example",)
        assert "SMTPUTF8" not in peer.taken[-1].options
        assert len(peer.connections) == 1


@pytest.mark.parametrize(
    "address",
    ["", "@", "a@", "@b", "nobody", "a b@c.d", "a@b>\r\nRSET", "a@b\nc", "a<b@c.d", "a@ex..ämple"],
)
async def test_what_would_break_out_of_a_command_is_no_address(
    tmp_path: Path, address: str
) -> None:
    async with relaying(tmp_path) as peer, sending(peer) as provider:
        outcome = await provider.send_one(mail(address=address))
        assert isinstance(outcome, PermanentFailure)
        assert outcome.reason is Reason.INVALID_ADDRESS
        assert peer.connections == []


DOTS = ".\n..\n.hidden\n\n.\nQUIT"


@pytest.mark.parametrize(
    "body", [DOTS, DOTS + "ж", "x" * 100_000, "ж" * 50_000, "a\r\nb\rc\nd", "From me\n \n\t"]
)
async def test_any_text_arrives_as_it_is(tmp_path: Path, body: str) -> None:
    async with relaying(tmp_path) as peer, sending(peer) as provider:
        content = Content(title="ж" * 200, body=body, html=f"<p>{body}</p>")
        assert await provider.send_one(mail(content=content)) == Sent("1")
        (taken,) = peer.taken
        assert max(map(len, taken.content.split(b"\r\n"))) <= 998
        plain, html = (taken.mail.get_body((kind,)) for kind in ("plain", "html"))
        assert plain is not None
        assert html is not None
        lines = body.replace("\r\n", "\n").replace("\r", "\n")
        assert text_of(plain) == lines
        assert text_of(html) == f"<p>{lines}</p>"
        assert taken.mail["Subject"] == "ж" * 200


def text_of(part: Any) -> str:
    return str(part.get_payload(decode=True).decode()).replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("said", "reference"),
    [
        ("250 2.0.0 Ok: queued as 4RcD8k1xYz", "4RcD8k1xYz"),  # Postfix
        ("250 OK id=1rXyZ1-0001Ab-2C", "1rXyZ1-0001Ab-2C"),  # Exim
        (
            "250 Ok 010001876c0a3f5e-5b2b3c4d-000000",
            "010001876c0a3f5e-5b2b3c4d-000000",
        ),  # Amazon
        ("250 2.6.0 <a@b> [InternalId=8912, Hostname=x] Queued mail for delivery", "8912"),
        ("250 2.0.0 OK  1700000000 a1-20020a17 - gsmtp", f"<{7:032x}@example.com>"),  # Gmail
    ],
)
async def test_the_relays_own_name_for_a_mail(tmp_path: Path, said: str, reference: str) -> None:
    async with relaying(tmp_path) as peer, sending(peer) as provider:
        peer.replies["DATA"] = [said]
        assert await provider.send_one(mail()) == Sent(reference)


async def test_each_mail_has_a_return_address_of_its_own(tmp_path: Path) -> None:
    async with (
        relaying(tmp_path) as peer,
        sending(peer, smtp_bounce_domain="b.example.com", partitions=4) as provider,
    ):
        assert provider.keeps_tickets
        await provider.send_one(mail())
        local, _, domain = peer.taken[0].sender.partition("@")
        assert (local[:7], domain) == ("bounce+", "b.example.com")
        named = read_token(local[7:], b"a key to sign with")
        assert named is not None
        assert named.delivery_id == mail().delivery_id
    async with relaying(tmp_path) as peer, sending(peer) as provider:
        assert not provider.keeps_tickets
        await provider.send_one(mail())
        assert peer.taken[0].sender == "shop@example.com"


ANSWERS = {
    b"EHLO": b"250-relay.example.com\r\n250-SIZE 1000000\r\n250 DSN\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


async def test_a_relay_that_knows_dsn_is_told_the_token_too() -> None:
    """aiosmtpd knows no DSN (RFC 3461), so the server is a script."""
    lines: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 relay.example.com ESMTP\r\n")
        while line := await reader.readline():
            lines.append(line.rstrip(b"\r\n"))
            if lines[-1] == b"DATA":
                writer.write(ANSWERS[b"DATA"])
                while (line := await reader.readline()) != b".\r\n":
                    pass
            writer.write(ANSWERS.get(line[:4], b"250 2.0.0 Ok\r\n"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    chosen = settings(
        smtp_url=f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}",
        smtp_starttls=False,
        smtp_bounce_domain="b.example.com",
    )
    async with server:
        provider = Smtp(chosen, Recorder(), Still())
        envelope, size = (
            provider.envelope_of(mail()),
            len(provider.mail_of(mail(), "ada@example.com")),
        )
        assert isinstance(await provider.send_one(mail()), Sent)
        await provider.close()
    assert lines[1:] == [
        f"MAIL FROM:<bounce+{envelope.token}@b.example.com> SIZE={size} RET=HDRS "
        f"ENVID={envelope.token}".encode(),
        b"RCPT TO:<ada@example.com>",
        b"DATA",
        b"QUIT",
    ]
