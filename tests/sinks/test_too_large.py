"""Batches of mail: no call has more bytes than its provider takes, and one that has is halved."""

from collections.abc import Mapping

import msgspec
import pytest

from schemas.delivery import Content, Delivery
from schemas.vocabulary import Channel, Reason
from sinks.email.mailgun import Mailgun
from sinks.email.postmark import Postmark
from sinks.email.sendgrid import SendGrid
from sinks.http.client import Reply
from sinks.provider import PermanentFailure, Provider, Sent, TransientFailure
from tests.sinks.replies.table import HTML, reply
from tests.sinks.requests.recorder import Recorder, delivery, settings

SIZE = 8_000
"""Bytes of each mail's text: a batch of eight has some 64,000, whatever else is in it."""


class Server(Recorder):
    """Takes mails, but nothing with more than so many bytes."""

    def __init__(self, most: int, too_large: object) -> None:
        super().__init__()
        self.most, self.too_large = most, too_large
        self.taken: list[int] = []

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Reply | TransientFailure:
        """One call."""
        await super().post(url, body, headers)
        if len(body) > self.most:
            return reply(413, self.too_large)
        self.taken.append(len(body))
        if "batch" in url:
            mails = msgspec.json.decode(body)
            return reply(200, [{"ErrorCode": 0, "Message": "", "MessageID": "m"} for _ in mails])
        if "v3/mail/send" in url:
            return reply(202, b"", {"x-message-id": "m"})
        return reply(200, {"id": "m", "message": "Queued."})


def provider(name: str, http: Server) -> Provider:
    if name == "postmark":
        return Postmark(settings(postmark_server_token="t"), http)
    if name == "sendgrid":
        return SendGrid(settings(sendgrid_api_key="k"), http)
    return Mailgun(settings(mailgun_api_key="k", mailgun_domain="d"), http)


def mails(sizes: list[int]) -> list[Delivery]:
    return [
        delivery(
            Channel.EMAIL,
            f"user{number}@example.com",
            number,
            content=Content(title="T", body="x" * size),
        )
        for number, size in enumerate(sizes)
    ]


NAMES = ["mailgun", "postmark", "sendgrid"]
JSON = {
    "mailgun": {"message": "Message too large"},
    "postmark": {"ErrorCode": 0, "Message": "Request entity too large"},
    "sendgrid": {"errors": [{"message": "payload too large", "field": None}]},
}


@pytest.mark.parametrize("name", NAMES)
async def test_a_batch_is_cut_before_it_is_sent(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"sinks.email.{name}.MOST_BYTES", 4 * SIZE)
    http = Server(1 << 30, HTML)
    assert list(await provider(name, http).send(mails([SIZE] * 8))) == [Sent("m")] * 8
    assert max(http.taken) <= 4 * SIZE
    assert len(http.requests) == len(http.taken) == 4


@pytest.mark.parametrize("in_json", [False, True])
@pytest.mark.parametrize("name", NAMES)
async def test_what_is_too_large_for_a_server_on_the_way_is_halved(
    name: str, in_json: bool
) -> None:
    http = Server(4 * SIZE, JSON[name] if in_json else HTML)
    assert list(await provider(name, http).send(mails([SIZE] * 8))) == [Sent("m")] * 8
    assert max(http.taken) <= 4 * SIZE


@pytest.mark.parametrize("name", NAMES)
async def test_a_mail_that_is_too_large_by_itself_costs_nobody_else(name: str) -> None:
    http = Server(4 * SIZE, JSON[name])
    batch = mails([100, 100, 9_000 if name == "sendgrid" else 5 * SIZE, 100])
    if name == "sendgrid":
        http.most = 5_000  # what is larger than its substitutions may be goes alone anyway
    found = list(await provider(name, http).send(batch))
    assert found[:2] == [Sent("m")] * 2
    assert found[3] == Sent("m")
    assert isinstance(found[2], PermanentFailure)
    assert found[2].reason is Reason.REJECTED
