"""Resend: each mail of a batch is judged by itself, and a call whose reply got lost is known."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from policy.tracking.ticket import Purpose, read_ticket
from schemas.delivery import Content
from schemas.vocabulary import Channel, Reason
from sinks.email.resend import MOST_TAG, Resend
from sinks.http.client import Reply
from sinks.provider import PermanentFailure, Sent, TransientFailure
from tests.sinks.replies.table import reply
from tests.sinks.requests.recorder import Recorder, delivery, settings
from tests.sinks.rig import Case, Rig

RESEND = Case(
    kind=Resend,
    channel=Channel.EMAIL,
    address="user{}@example.com",
    invalid="nobody",
    dead=Reason.INVALID_ADDRESS,
    linger=(0.0, 0.2, 1.0, 5.0, 5.0),
    misconfigured=[
        ({"resend_api_key": ""}, "TOCSIN_RESEND_API_KEY is not set"),
        ({"resend_url": "resend"}, "TOCSIN_RESEND_URL is not an http or https URL"),
        ({"email_from": "me"}, "TOCSIN_EMAIL_FROM"),
    ],
)

alone = pytest.mark.parametrize("rig", ["resend"], indirect=True)
LOST = TransientFailure(Reason.UNREACHABLE, "connection reset", uncertain=True)


@alone
async def test_each_mail_of_a_batch_has_its_own_answer(rig: Rig) -> None:
    batch = [rig.delivery(number) for number in range(4)]
    batch[1] = rig.delivery(1, address="nobody")
    batch[2] = rig.delivery(2, content=Content(title="Empty", body=""))
    first, invalid, empty, last = await rig.provider.send(batch)
    assert isinstance(first, Sent)
    assert isinstance(last, Sent)
    for outcome, reason in ((invalid, Reason.INVALID_ADDRESS), (empty, Reason.REJECTED)):
        assert isinstance(outcome, PermanentFailure)
        assert outcome.reason is reason
    assert [line.reference for line in rig.witnessed()] == [first.reference, last.reference]


@alone
async def test_a_hundred_go_in_one_call(rig: Rig) -> None:
    assert rig.provider.batch_size == 100
    outcomes = await rig.provider.send([rig.delivery(number) for number in range(100)])
    assert len(set(outcomes)) == 100
    assert len(rig.witnessed()) == 100


@alone
async def test_a_refused_sender_loses_nobody(rig: Rig) -> None:
    chosen = rig.settings.model_copy(update={"email_from": "me@home"})
    outcome = await replace(rig, provider=Resend(chosen, rig.http)).send()
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED


@alone
async def test_a_ticket_is_split_to_fit_and_can_be_put_together(rig: Rig) -> None:
    assert isinstance(rig.provider, Resend)
    mail = rig.provider.mail_of(rig.delivery(7, user="u" * 200))
    tags = {tag.name: tag.value for tag in mail.tags}
    assert max(map(len, tags.values())) <= MOST_TAG
    text = "".join(tags[f"ticket{n}"] for n in range(len(tags) - 2))
    key = rig.settings.signing_key.get_secret_value().encode()
    ticket = read_ticket(text, Purpose.REPORT, key)
    assert ticket is not None
    assert ticket.user == "u" * 200


@alone
async def test_the_same_call_again_is_taken_once(rig: Rig) -> None:
    said = [rig.delivery(7)]
    assert await rig.provider.send(said) == await rig.provider.send(said)
    assert len(rig.witnessed()) == 1


async def test_a_call_whose_reply_got_lost_is_made_once_more_under_its_key() -> None:
    taken = reply(200, {"data": [{"id": "r"}], "errors": []})
    recorder = Recorder(LOST, taken)
    provider = Resend(settings(resend_api_key="re_key"), recorder)
    said = delivery(Channel.EMAIL, "ada@example.com")
    assert list(await provider.send([said])) == [Sent("r")]
    first, second = recorder.requests
    assert first == second
    other = delivery(Channel.EMAIL, "bo@example.com")
    await provider.send([other])
    keys = {request.headers["Idempotency-Key"] for request in recorder.requests}
    assert len(keys) == 2


@pytest.mark.parametrize(
    "failed",
    [
        TransientFailure(Reason.UNREACHABLE, "refused"),
        TransientFailure(Reason.TIMEOUT, "no reply within 10 s", uncertain=True),
    ],
)
async def test_other_calls_are_not_made_again(failed: TransientFailure) -> None:
    recorder = Recorder(failed)
    provider = Resend(settings(resend_api_key="re_key"), recorder)
    said = delivery(Channel.EMAIL, "ada@example.com")
    assert list(await provider.send([said])) == [failed]
    assert len(recorder.requests) == 1


async def test_what_is_lost_twice_stays_uncertain() -> None:
    recorder = Recorder(LOST, TransientFailure(Reason.UNREACHABLE, "refused"))
    provider = Resend(settings(resend_api_key="re_key"), recorder)
    said = delivery(Channel.EMAIL, "ada@example.com")
    assert list(await provider.send([said])) == [LOST]


async def test_a_batch_that_is_too_large_is_halved() -> None:
    class Server(Recorder):
        async def post(
            self, url: str, body: bytes, headers: Mapping[str, str]
        ) -> Reply | TransientFailure:
            await super().post(url, body, headers)
            mails = msgspec.json.decode(body)
            if len(mails) > 2:
                return reply(413, b"")
            return reply(200, {"data": [{"id": mail["to"][0]} for mail in mails]})

    server = Server()
    said = [delivery(Channel.EMAIL, f"{n}@example.com", n) for n in range(5)]
    outcomes = await Resend(settings(resend_api_key="re_key"), server).send(said)
    assert list(outcomes) == [Sent(f"{n}@example.com") for n in range(5)]
    assert [len(request.json) for request in server.requests] == [5, 2, 3, 1, 2]
