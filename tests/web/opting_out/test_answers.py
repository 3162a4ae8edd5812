"""STOP and START by text and by WhatsApp."""

import pytest

from schemas.profile import BotChat, Contacts
from schemas.topics import (
    CONTACTS,
    DELIVERY_EVENTS,
)
from schemas.vocabulary import Channel, Reason
from tests.web.opting_out.town import ANN, EVERYWHERE, PHONES, SMS, Town


async def test_stop_on_whatsapp_ends_what_goes_there_and_no_text(town: Town) -> None:
    chat = BotChat(platform="whatsapp", chat=PHONES["ann"])
    said = Contacts(user="ann", phone=PHONES["ann"], bot_chats=(chat,))
    await town.write(CONTACTS, "ann", said)
    there = {"From": f"whatsapp:{PHONES['ann']}", "To": "whatsapp:+14155238886"}
    assert Channel.CHAT in await town.happens("ann", "talk")
    await town.reports("twiliowhatsapp", {**there, "Body": "Stop"})
    assert Channel.CHAT not in await town.happens("ann", "talk")
    assert town.why() == [(Channel.CHAT, Reason.SUPPRESSED_ADDRESS, "stop")]
    assert SMS in await town.happens("ann")
    # Whoever gives the number later is asked no more than she is.
    await town.write(CONTACTS, "eve", Contacts(user="eve", bot_chats=(chat,)))
    assert Channel.CHAT not in await town.happens("eve", "talk")
    await town.reports("twiliowhatsapp", {**there, "Body": "Start"})
    for user in ("ann", "eve"):
        assert Channel.CHAT in await town.happens(user, "talk")
    # And STOP by text is about texts.
    await town.reports("twilio", {"From": PHONES["ann"], "Body": "STOP"})
    assert SMS not in await town.happens("ann")
    assert Channel.CHAT in await town.happens("ann", "talk")


STOPPED: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("twilio", {"From": ANN, "Body": "STOP"}, {"From": ANN, "Body": "START"}),
    # Without Advanced Opt-Out the parameter may be there, and empty.
    ("twilio", {"From": ANN, "Body": "Stop", "OptOutType": ""},
     {"From": ANN, "Body": "unstop", "OptOutType": ""}),
    # With it, the word may be one that the operator chose.
    ("twilio", {"From": ANN, "Body": "ARRET", "OptOutType": "STOP"},
     {"From": ANN, "Body": "OUI", "OptOutType": "START"}),
    ("plivo", {"From": ANN[1:], "To": "1", "Text": "STOPALL"},
     {"From": ANN[1:], "To": "1", "Text": "yes"}),
    ("vonage", {"msisdn": ANN[1:], "to": "1", "text": "Quit"},
     {"msisdn": ANN[1:], "to": "1", "text": "Start"}),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "stop", "start"), STOPPED)
async def test_stop_is_honoured_whoever_carries_it(
    town: Town, provider: str, stop: dict[str, str], start: dict[str, str]
) -> None:
    await town.reports(provider, stop)
    assert (await town.happens("ann")).keys() == EVERYWHERE - {SMS}
    assert town.why() == [(SMS, Reason.SUPPRESSED_ADDRESS, "stop")]
    assert SMS not in await town.happens("ann", "bill")
    assert (await town.happens("bob")).keys() == EVERYWHERE
    assert town.left() == [("ann", "", "sms", "reply")]
    # Said again, nothing more is left by it.
    await town.reports(provider, stop)
    await town.workers.settle()
    assert town.left() == [("ann", "", "sms", "reply")]
    await town.reports(provider, start)
    assert (await town.happens("ann")).keys() == EVERYWHERE
    await town.reports(provider, stop)
    await town.workers.settle()
    assert town.left() == [("ann", "", "sms", "reply")] * 2
    addresses = {PHONES["ann"], PHONES["ann"][1:]}
    told = [r.value for r in town.log.topics[DELIVERY_EVENTS.name] if b"unsubscribed" in r.value]
    assert not any(address.encode() in value for value in told for address in addresses)


@pytest.mark.parametrize(
    ("provider", "fields"),
    [
        ("twilio", {"From": ANN, "Body": "stop it, please"}),
        ("twilio", {"From": ANN, "Body": "HELP", "OptOutType": "HELP"}),
        ("twilio", {"From": "", "Body": "STOP"}),
        ("plivo", {"From": ANN[1:], "Text": "stopping by"}),
        ("vonage", {"msisdn": ANN[1:], "text": ""}),
    ],
)
async def test_other_answers_stop_nothing(
    town: Town, provider: str, fields: dict[str, str]
) -> None:
    await town.reports(provider, fields)
    assert (await town.happens("ann")).keys() == EVERYWHERE
