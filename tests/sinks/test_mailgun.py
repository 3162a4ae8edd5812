"""Mailgun: what shares a call, whose fault a refused call is, what a mail carries."""

from dataclasses import replace

import pytest

from embedded.simulators.accept_log import digest_of
from policy.tracking.ticket import Purpose, read_ticket
from schemas.delivery import Content
from schemas.vocabulary import Channel, Reason
from sinks.email.mailgun import CALLS_AT_ONCE, Mailgun, groups_of
from sinks.http.client import Reply
from sinks.provider import PermanentFailure, Sent, TransientFailure
from tests.sinks.rig import Case, Rig

MAILGUN = Case(
    kind=Mailgun,
    channel=Channel.EMAIL,
    address="user{}@example.com",
    invalid="nobody",
    dead=Reason.INVALID_ADDRESS,
    linger=(0.0, 0.2, 1.0, 5.0, 5.0),
    misconfigured=[
        ({"mailgun_api_key": ""}, "TOCSIN_MAILGUN_API_KEY is not set"),
        ({"mailgun_domain": ""}, "TOCSIN_MAILGUN_DOMAIN is not set"),
        ({"mailgun_url": "mailgun"}, "TOCSIN_MAILGUN_URL"),
        ({"email_from": "me"}, "TOCSIN_EMAIL_FROM"),
    ],
)

alone = pytest.mark.parametrize("rig", ["mailgun"], indirect=True)


@alone
async def test_content_of_every_shape_in_one_batch(rig: Rig) -> None:
    batch = [
        rig.delivery(0),
        rig.delivery(1, content=Content(title="1", body="one", html="<b>one</b>")),
        rig.delivery(2, content=Content(title="Hi", body="say %recipient.subject% to %recipient%")),
        rig.delivery(3, address="user0@example.com"),
        rig.delivery(4),
        rig.delivery(5, type="another"),
    ]
    assert groups_of(batch) == [[0, 4], [1], [2], [3], [5]]
    outcomes = await rig.provider.send(batch)
    lines = {line.delivery_id: line for line in rig.witnessed()}
    assert outcomes == [Sent(lines[sent.delivery_id].reference) for sent in batch]
    for sent in batch:
        line = lines[sent.delivery_id]
        assert (line.address, line.title) == (sent.address, sent.content.title)
        assert line.digest == digest_of(sent.content.body)


@alone
async def test_a_thousand_go_in_one_call(rig: Rig) -> None:
    outcomes = await rig.provider.send([rig.delivery(number) for number in range(1000)])
    assert len(set(outcomes)) == 1
    assert len(rig.witnessed()) == 1000


@alone
async def test_several_bad_addresses_are_found_by_halves(rig: Rig) -> None:
    bad = {3, 4, 17}
    batch = [
        rig.delivery(number, **({"address": "nobody"} if number in bad else {}))
        for number in range(20)
    ]
    outcomes = await rig.provider.send(batch)
    assert {n for n, outcome in enumerate(outcomes) if isinstance(outcome, PermanentFailure)} == bad
    assert len(rig.witnessed()) == 17


@alone
async def test_halves_are_sent_at_the_same_time_and_few_at_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(rig.provider, Mailgun)
    call, under_way, most = rig.provider._call, 0, 0

    async def counted(body: bytes, content_type: str) -> Reply | TransientFailure:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await call(body, content_type)
        finally:
            under_way -= 1

    monkeypatch.setattr(rig.provider, "_call", counted)
    batch = [rig.delivery(number, address=f"nobody{number}") for number in range(32)]
    outcomes = await rig.provider.send(batch)
    assert {type(outcome) for outcome in outcomes} == {PermanentFailure}
    assert most == CALLS_AT_ONCE


@alone
@pytest.mark.parametrize("update", [{"email_from": "me@home"}, {"mailgun_domain": "other.example"}])
async def test_a_refused_setting_loses_nobody(rig: Rig, update: dict[str, str]) -> None:
    settings = rig.settings.model_copy(update=update)
    wrong = replace(rig, provider=Mailgun(settings, rig.http))
    outcomes = await wrong.provider.send([rig.delivery(number) for number in range(3)])
    assert [type(outcome) for outcome in outcomes] == [TransientFailure] * 3
    assert {o.reason for o in outcomes if isinstance(o, TransientFailure)} == {Reason.UNAUTHORIZED}


@alone
@pytest.mark.parametrize("count", [1, 2])
async def test_each_mail_carries_its_own_way_back(rig: Rig, count: int) -> None:
    assert isinstance(rig.provider, Mailgun)
    batch = [rig.delivery(number) for number in range(count)]
    fields = dict(rig.provider.form_of(batch))
    assert fields["h:List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = fields["h:List-Unsubscribe"]
    if count == 1:
        start = f"<{rig.settings.public_url}/unsubscribe/"
        key = rig.settings.signing_key.get_secret_value().encode()
        assert link.startswith(start)
        text = link.removeprefix(start).removesuffix(">")
        assert read_ticket(text, Purpose.UNSUBSCRIBE, key) is not None
        # What Mailgun keeps and hands back unsubscribes nobody.
        assert read_ticket(fields["v:ticket"], Purpose.UNSUBSCRIBE, key) is None
    else:
        assert link.endswith("/unsubscribe/%recipient.unsubscribe%>")
        assert fields["v:ticket"] == "%recipient.ticket%"
