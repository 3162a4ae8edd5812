"""SendGrid's, Amazon's, Postmark's, Mailgun's and Resend's SDKs against their simulators."""

import json
from typing import Any

from tests.embedded.conftest import Bench
from tests.sdks.node import RUNS, Outcome, outcomes

pytestmark = RUNS

ADDRESS, GONE = "ada@example.com", "gone@example.com"
MAIL = {
    "from": "Shop <shop@example.com>",
    "subject": "Shipped",
    "text": "On its way",
    "html": "<p>On its way</p>",
}


def errors(refused: list[Outcome], *fields: str) -> list[tuple[Any, ...]]:
    """These fields of what was rejected."""
    return [tuple(each.error.get(field) for field in fields) for each in refused]


async def test_sendgrid(bench: Bench) -> None:
    bench.fault("sendgrid", dead=frozenset({GONE}))
    calls: tuple[dict[str, Any], ...] = (
        {**MAIL, "to": ADDRESS, "customArgs": {"notification_id": "n1", "delivery_id": "d1"}},
        {**MAIL, "to": GONE},
        {**MAIL, "to": ADDRESS, "key": "SG.other"},
    )
    taken, *refused = await outcomes("sendgrid", bench.running, *calls)
    last = bench.last()
    assert taken.answer == {"statusCode": 202, "id": last.reference}
    assert (last.provider, last.address, last.delivery_id) == ("sendgrid", ADDRESS, "d1")
    assert errors(refused, "type", "code") == [("ResponseError", 400), ("ResponseError", 401)]
    field = refused[0].error["reply"]["errors"][0]["field"]
    assert field == "personalizations.0.to.0.email"


async def test_ses(bench: Bench) -> None:
    bench.fault("ses", dead=frozenset({GONE}))
    simple = {
        "Subject": {"Data": "Shipped"},
        "Body": {"Text": {"Data": "On its way"}, "Html": {"Data": "<p>On its way</p>"}},
        "Headers": [{"Name": "X-Order", "Value": "7"}],
    }
    mail = {"FromEmailAddress": "shop@example.com", "Content": {"Simple": simple}}
    tags = [{"Name": "notification_id", "Value": "n1"}, {"Name": "delivery_id", "Value": "d1"}]
    calls: tuple[dict[str, Any], ...] = (
        {**mail, "Destination": {"ToAddresses": [ADDRESS]}, "EmailTags": tags},
        {**mail, "Destination": {"ToAddresses": [GONE]}},
        {**mail, "Destination": {"ToAddresses": ["ada@@"]}},
        {**mail, "Destination": {"ToAddresses": [ADDRESS]}, "secret": "other"},
    )
    taken, *refused = await outcomes("ses", bench.running, *calls)
    last = bench.last()
    assert taken.answer["MessageId"] == last.reference
    assert (last.provider, last.address, last.delivery_id) == ("ses", ADDRESS, "d1")
    assert errors(refused, "type", "name") == [
        ("MessageRejected", "MessageRejected"),
        ("BadRequestException", "BadRequestException"),
        ("SESv2ServiceException", "InvalidSignatureException"),
    ]


async def test_ses_in_bulk(bench: Bench) -> None:
    bench.fault("ses", dead=frozenset({GONE}))
    template = {"TemplateContent": {"Subject": "{{title}}", "Text": "{{title}}"}}
    data = json.dumps({"title": "Shipped"})
    entries = [{"Destination": {"ToAddresses": [each]}} for each in (GONE, ADDRESS)]
    bulk = {
        "FromEmailAddress": "shop@example.com",
        "DefaultContent": {"Template": {**template, "TemplateData": data}},
        "BulkEmailEntries": entries,
    }
    (sent,) = await outcomes("ses", bench.running, {"bulk": bulk})
    gone, taken = sent.answer["BulkEmailEntryResults"]
    assert gone["Status"] == "MESSAGE_REJECTED"
    assert taken == {"Status": "SUCCESS", "MessageId": bench.last().reference}
    assert bench.last().title == "Shipped"


async def test_postmark(bench: Bench) -> None:
    bench.fault("postmark", dead=frozenset({GONE}))
    mail = {"From": "shop@example.com", "Subject": "Shipped", "TextBody": "On its way"}
    ours = {**mail, "To": ADDRESS, "Metadata": {"notification_id": "n1", "delivery_id": "d1"}}
    calls: tuple[dict[str, Any], ...] = (
        {"mails": [ours, {**mail, "To": GONE}]},
        {"mails": [ours], "token": "other"},
        {"mails": [ours] * 501},
    )
    taken, *refused = await outcomes("postmark", bench.running, *calls)
    last = bench.last()
    first, second = taken.answer
    assert (first["ErrorCode"], first["MessageID"]) == (0, last.reference)
    assert (last.provider, last.address, last.delivery_id) == ("postmark", ADDRESS, "d1")
    assert second["ErrorCode"] == 406
    assert errors(refused, "type", "code", "statusCode") == [
        ("InvalidAPIKeyError", 10, 401),
        ("ApiInputError", 410, 422),
    ]


async def test_mailgun(bench: Bench) -> None:
    bench.fault("mailgun", dead=frozenset({GONE}))
    own = {ADDRESS: {"delivery_id": "d1"}, "bob@example.com": {"delivery_id": "d2"}}
    calls: tuple[dict[str, Any], ...] = (
        {
            **MAIL,
            "to": list(own),
            "recipient-variables": json.dumps(own),
            "v:delivery_id": "%recipient.delivery_id%",
        },
        {**MAIL, "to": GONE},
        {**MAIL, "to": ADDRESS, "key": "other"},
    )
    taken, *refused = await outcomes("mailgun", bench.running, *calls)
    last = bench.last()
    assert (taken.answer["status"], taken.answer["id"]) == (200, last.reference)
    assert (last.provider, last.address, last.delivery_id) == ("mailgun", "bob@example.com", "d2")
    assert errors(refused, "status", "details") == [
        (400, "to parameter is not a valid address. please check documentation"),
        (401, "Forbidden"),
    ]


async def test_resend(bench: Bench) -> None:
    """It resolves also with an error."""
    bench.fault("resend", dead=frozenset({GONE}))
    tags = [{"name": "notification_id", "value": "n1"}, {"name": "delivery_id", "value": "d1"}]
    calls: tuple[dict[str, Any], ...] = (
        {"mails": [{**MAIL, "to": ADDRESS, "tags": tags}]},
        {"mails": [{**MAIL, "to": GONE}]},
        {"mails": [{**MAIL, "to": ADDRESS}], "key": "re_other"},
    )
    taken, *refused = [each.answer for each in await outcomes("resend", bench.running, *calls)]
    last = bench.last()
    assert taken == {"data": {"data": [{"id": last.reference}]}, "error": None}
    assert (last.provider, last.address, last.delivery_id) == ("resend", ADDRESS, "d1")
    assert [(each["error"]["name"], each["error"]["statusCode"]) for each in refused] == [
        ("validation_error", 422),
        ("invalid_api_key", 403),
    ]
