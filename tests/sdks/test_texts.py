"""Twilio's, Amazon's, Plivo's, Vonage's and Slack's SDKs against their simulators."""

from typing import Any

from tests.embedded.conftest import Bench
from tests.sdks.node import RUNS, outcomes
from tests.sdks.test_email import errors

pytestmark = RUNS

NUMBER, GONE = "+14155550100", "+14155550101"
TEXT = "On its way"


async def test_twilio(bench: Bench) -> None:
    bench.fault("twilio", dead=frozenset({GONE}))
    message = {"from": "+14155550199", "body": TEXT}
    back = "https://example.com/reports?notification_id=n1&delivery_id=d1"
    calls: tuple[dict[str, Any], ...] = (
        {**message, "to": NUMBER, "statusCallback": back},
        {**message, "to": GONE},
        {**message, "to": "1"},
        {**message, "to": NUMBER, "token": "other"},
    )
    taken, *refused = await outcomes("twilio", bench.running, *calls)
    last = bench.last()
    assert taken.answer == {"sid": last.reference, "status": "queued", "to": NUMBER}
    assert (last.provider, last.address, last.delivery_id) == ("twilio", NUMBER, "d1")
    assert errors(refused, "type", "code", "status") == [
        ("RestException", 21610, 400),
        ("RestException", 21211, 400),
        ("RestException", 20003, 401),
    ]


async def test_twilio_for_whatsapp(bench: Bench) -> None:
    bench.fault("twiliowhatsapp", dead=frozenset({f"whatsapp:{GONE}"}))
    template = {"contentSid": f"HX{7:032x}", "contentVariables": '{"1": "Ada"}'}
    message = {"from": "whatsapp:+14155238886", **template}
    calls = [{**message, "to": f"whatsapp:{each}"} for each in (NUMBER, GONE)]
    taken, refused = await outcomes("twilio", bench.running, *calls)
    assert taken.answer["sid"] == bench.last().reference
    assert bench.last().provider == "twiliowhatsapp"
    assert errors([refused], "type", "code") == [("RestException", 21610)]


async def test_sns(bench: Bench) -> None:
    bench.fault("sns", dead=frozenset({GONE}))
    attributes = {"delivery_id": {"DataType": "String", "StringValue": "d1"}}
    calls: tuple[dict[str, Any], ...] = (
        {"PhoneNumber": NUMBER, "Message": TEXT, "MessageAttributes": attributes},
        {"PhoneNumber": GONE, "Message": TEXT},
        {"PhoneNumber": "1", "Message": TEXT},
        {"PhoneNumber": NUMBER, "Message": TEXT, "secret": "other"},
    )
    taken, *refused = await outcomes("sns", bench.running, *calls)
    last = bench.last()
    assert taken.answer["MessageId"] == last.reference
    assert (last.provider, last.address, last.delivery_id) == ("sns", NUMBER, "d1")
    assert errors(refused, "type", "name") == [
        ("OptedOutException", "OptedOutException"),
        ("InvalidParameterException", "InvalidParameterException"),
        ("SNSServiceException", "SignatureDoesNotMatch"),
    ]


async def test_plivo(bench: Bench) -> None:
    bench.fault("plivo", dead=frozenset({GONE}))
    calls: tuple[dict[str, Any], ...] = (
        {"src": "Shop", "dst": NUMBER, "text": TEXT},
        {"src": "Shop", "dst": GONE, "text": TEXT},
        {"src": "Shop", "dst": NUMBER, "text": TEXT, "token": "other"},
    )
    taken, *refused = await outcomes("plivo", bench.running, *calls)
    last = bench.last()
    assert taken.answer["messageUuid"] == [last.reference]
    assert (last.provider, last.address) == ("plivo", NUMBER)
    assert errors(refused, "status", "message") == [
        (400, "dst is not a number that can be reached"),
        (401, "Could not verify your access level for that URL."),
    ]


async def test_vonage(bench: Bench) -> None:
    """Its error is "partial" for one text, as it compares Vonage's "1" with a number."""
    bench.fault("vonage", dead=frozenset({GONE}))
    message = {"from": "Shop", "text": TEXT, "clientRef": "d1.n1"}
    calls: tuple[dict[str, Any], ...] = (
        {**message, "to": NUMBER.removeprefix("+")},
        {**message, "to": GONE.removeprefix("+")},
        {**message, "to": NUMBER.removeprefix("+"), "secret": "other"},
    )
    taken, *refused = await outcomes("vonage", bench.running, *calls)
    last = bench.last()
    (part,) = taken.answer["messages"]
    assert (part["status"], part["messageId"]) == ("0", last.reference)
    assert (last.provider, last.address, last.delivery_id) == ("vonage", NUMBER, "d1")
    assert errors(refused, "type") == [("MessageSendPartialFailure",)] * 2
    assert [each.error["reply"][0]["status"] for each in refused] == ["7", "4"]


async def test_vonage_messages(bench: Bench) -> None:
    bench.fault("vonagemessages", dead=frozenset({GONE}))
    message = {"api": "messages", "channel": "sms", "messageType": "text", "from": "Shop"}
    message |= {"text": TEXT, "clientRef": "d1.n1"}
    calls = [{**message, "to": each.removeprefix("+")} for each in (NUMBER, GONE, "+1")]
    taken, *refused = await outcomes("vonage", bench.running, *calls)
    last = bench.last()
    assert taken.answer == {"messageUUID": last.reference}
    assert (last.provider, last.address, last.delivery_id) == ("vonagemessages", NUMBER, "d1")
    assert [each.error["reply"]["type"].partition("#")[2] for each in refused] == ["1300", "1430"]


async def test_vonage_for_whatsapp(bench: Bench) -> None:
    bench.fault("vonagewhatsapp", dead=frozenset({f"whatsapp:{GONE}"}))
    message = {"api": "messages", "channel": "whatsapp", "from": "14155238886"}
    template = {"name": "order_shipped", "parameters": ["Ada"]}
    filled = {"messageType": "template", "template": template, "whatsapp": {"locale": "en"}}
    calls: tuple[dict[str, Any], ...] = (
        {**message, **filled, "to": NUMBER.removeprefix("+"), "clientRef": "d1.n1"},
        {**message, "messageType": "text", "text": TEXT, "to": GONE.removeprefix("+")},
    )
    taken, refused = await outcomes("vonage", bench.running, *calls)
    last = bench.last()
    assert taken.answer == {"messageUUID": last.reference}
    assert (last.provider, last.title, last.delivery_id) == (
        "vonagewhatsapp",
        "order_shipped",
        "d1",
    )
    assert refused.error["reply"]["type"].partition("#")[2] == "1300"


async def test_slack(bench: Bench) -> None:
    bench.fault("slackapp", dead=frozenset({"slackapp:C0GONE"}))
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": TEXT}}]
    calls: tuple[dict[str, Any], ...] = (
        {"channel": "C012", "thread_ts": "1700000000.123456", "text": TEXT, "blocks": blocks},
        {"channel": "C0GONE", "text": TEXT},
        {"channel": "C012"},
        {"channel": "C012", "text": TEXT, "token": "xoxb-other"},
    )
    taken, *refused = await outcomes("slack", bench.running, *calls)
    last = bench.last()
    assert (taken.answer["channel"], taken.answer["ts"]) == ("C012", last.reference)
    assert (last.provider, last.address) == ("slackapp", "slackapp:C012/1700000000.123456")
    assert (
        errors(refused, "type", "code")
        == [("WebAPIPlatformError", "slack_webapi_platform_error")] * 3
    )
    assert [each.error["data"]["error"] for each in refused] == [
        "is_archived",
        "no_text",
        "invalid_auth",
    ]
