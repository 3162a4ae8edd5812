"""The simulated relay, driven by Python's own client."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest

from embedded.simulators.accept_log import digest_of
from tests.embedded.conftest import Bench


def client(bench: Bench, password: str | None = None) -> smtplib.SMTP:
    reach = bench.running.environment
    url = urlsplit(reach["TOCSIN_SMTP_URL"])
    opened = smtplib.SMTP(url.hostname or "", url.port or 0)
    opened.starttls(context=ssl.create_default_context(cafile=reach["TOCSIN_SMTP_CA_FILE"]))
    try:
        opened.login(reach["TOCSIN_SMTP_USER"], password or reach["TOCSIN_SMTP_PASSWORD"])
    except smtplib.SMTPException:
        opened.close()
        raise
    return opened


def mail(to: str = "ada@example.com") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@example.com", to, "Grüße"
    message["X-Tocsin-Delivery"] = "n1.d1"
    message.set_content("On its way\n")
    return message


def send(bench: Bench, *messages: EmailMessage) -> None:
    with client(bench) as opened:
        for message in messages:
            opened.send_message(message)


async def test_smtplib_sends(bench: Bench) -> None:
    await asyncio.to_thread(send, bench, mail(), mail("bo@example.com"))
    last = bench.last()
    assert (last.provider, last.title, last.address) == ("smtp", "Grüße", "bo@example.com")
    assert (last.notification_id, last.delivery_id) == ("n1", "d1")
    assert last.digest == digest_of("On its way")


async def test_smtplib_knows_the_errors(bench: Bench) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError):
        await asyncio.to_thread(client, bench, "wrong")
    bench.fault("smtp", dead=frozenset({"gone@example.com"}))
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="User unknown"):
        await asyncio.to_thread(send, bench, mail("gone@example.com"))
    for status, code in ((400, 554), (401, 530), (403, 554), (500, 451), (599, 451), (499, 554)):
        bench.fault("smtp", error_rate=1.0, status=status)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            await asyncio.to_thread(send, bench, mail())
        assert refused.value.smtp_code == code
    for status in (429, 503):
        bench.fault("smtp", error_rate=1.0, status=status, retry_after=7)
        with pytest.raises(smtplib.SMTPDataError, match="7 seconds") as refused:
            await asyncio.to_thread(send, bench, mail())
        assert refused.value.smtp_code == 421


async def test_nothing_is_taken_without_tls_and_a_password(bench: Bench) -> None:
    url = urlsplit(bench.running.environment["TOCSIN_SMTP_URL"])

    def ask() -> tuple[int, int]:
        with smtplib.SMTP(url.hostname or "", url.port or 0) as opened:
            opened.ehlo()
            before = opened.mail("shop@example.com")[0]
            opened.starttls(
                context=ssl.create_default_context(
                    cafile=bench.running.environment["TOCSIN_SMTP_CA_FILE"]
                )
            )
            opened.ehlo()
            return before, opened.mail("shop@example.com")[0]

    assert await asyncio.to_thread(ask) == (530, 530)
