"""The simulators of Mailgun, Postmark and Amazon SES, driven by the SDKs made for them."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from mailgun.client import Client as MailgunClient
from postmarker.core import PostmarkClient
from postmarker.exceptions import ClientError as PostmarkError

from embedded.simulators.accept_log import digest_of, read_accept_log
from embedded.simulators.credentials import AWS_REGION
from tests.embedded.conftest import Bench

IDS = {"notification_id": "n1", "delivery_id": "d1"}
BCC = "bo@example.com,"


def postmark(bench: Bench, token: str | None = None) -> Any:
    token = token or bench.running.credentials.postmark_server_token
    return PostmarkClient(server_token=token, root_api_url=f"{bench.running.base_url}/")


def mail(to: str = "ada@example.com", **fields: Any) -> dict[str, Any]:
    return {
        "From": "shop@example.com",
        "To": to,
        "Subject": "Shipped",
        "TextBody": "It is on its way",
        "HtmlBody": "<p>It is on its way</p>",
        "Metadata": IDS,
        "Tag": "order_shipped",
        "Headers": {"List-Unsubscribe": "<https://example.com/u>"},
        **fields,
    }


async def test_postmark_sdk_sends_a_batch(bench: Bench) -> None:
    mails = [mail(f"user{number}@example.com") for number in range(3)] + [mail("nobody")]
    answers = await asyncio.to_thread(postmark(bench).emails.send_batch, *mails)
    assert [answer["ErrorCode"] for answer in answers] == [0, 0, 0, 300]
    accepted = read_accept_log(bench.log)[-3:]
    assert [line.reference for line in accepted] == [a["MessageID"] for a in answers[:3]]
    assert {(line.provider, line.title, line.delivery_id) for line in accepted} == {
        ("postmark", "Shipped", "d1")
    }


async def test_postmark_sdk_knows_the_errors(bench: Bench) -> None:
    with pytest.raises(PostmarkError, match=r"\[10\]"):
        await asyncio.to_thread(postmark(bench, "wrong").emails.send_batch, mail())
    async with aiohttp.ClientSession(bench.running.base_url) as session:
        for headers in ({}, {"X-Postmark-Server-Token": "wrong"}):
            # By its "Overview", "Authentication"; its SDK for Node knows a bad token by the status.
            async with session.post("/email/batch", json=[mail()], headers=headers) as refused:
                assert refused.status == 401
    bench.fault("postmark", dead=frozenset({"gone@example.com"}))
    (answer,) = await asyncio.to_thread(postmark(bench).emails.send_batch, mail("gone@example.com"))
    assert answer["ErrorCode"] == 406


@pytest.mark.parametrize(
    "fields",
    [
        {"Metadata": {"a": "x" * 81}},
        {"Metadata": {"a" * 21: "x"}},
        {"Metadata": {str(number): "x" for number in range(11)}},
        {"From": "me@home"},
    ],
)
async def test_postmark_refuses(bench: Bench, fields: dict[str, Any]) -> None:
    (answer,) = await asyncio.to_thread(postmark(bench).emails.send_batch, mail(**fields))
    assert answer["ErrorCode"] == 300


async def test_postmark_takes_names_and_copies(bench: Bench) -> None:
    fields = {"From": "Shop <shop@example.com>", "Cc": 'bo@example.com, "Cy, B" <cy@example.com>'}
    (answer,) = await asyncio.to_thread(
        postmark(bench).emails.send_batch, mail("Ada <ada@example.com>", **fields)
    )
    assert answer["ErrorCode"] == 0
    accepted = read_accept_log(bench.log)[-3:]
    assert [line.address for line in accepted] == [
        "ada@example.com", "bo@example.com", "cy@example.com",
    ]  # fmt: skip
    assert {line.reference for line in accepted} == {answer["MessageID"]}
    for wrong in ({"Cc": "bo@example.com, nobody"}, {"From": "Shop <shop>"}, {"Bcc": BCC * 51}):
        (answer,) = await asyncio.to_thread(postmark(bench).emails.send_batch, mail(**wrong))
        assert answer["ErrorCode"] == 300


def mailgun(bench: Bench, key: str | None = None) -> Callable[..., Any]:
    key = key or bench.running.credentials.mailgun_api_key
    client = MailgunClient(auth=("api", key), api_url=bench.running.base_url)

    def create(**data: Any) -> Any:
        form = {"from": "shop@example.com", "subject": "Shipped", "text": "On its way", **data}
        return client.messages.create(data=form, domain=bench.running.credentials.mailgun_domain)

    return create


async def test_mailgun_sdk_sends(bench: Bench) -> None:
    fields = {f"v:{name}": value for name, value in IDS.items()}
    reply = await asyncio.to_thread(mailgun(bench), to="ada@example.com", **fields)
    assert reply.status_code == 200
    accepted = bench.last()
    assert (accepted.provider, accepted.reference) == ("mailgun", reply.json()["id"])
    assert (accepted.address, accepted.title, accepted.delivery_id) == (
        "ada@example.com",
        "Shipped",
        "d1",
    )


async def test_mailgun_sdk_sends_to_many(bench: Bench) -> None:
    variables = '{"a@example.com": {"name": "Ada"}, "b@example.com": {"name": "Bo"}}'
    reply = await asyncio.to_thread(
        mailgun(bench),
        to=["a@example.com", "b@example.com"],
        subject="Dear %recipient.name%",
        **{"recipient-variables": variables},
    )
    assert reply.status_code == 200
    accepted = read_accept_log(bench.log)[-2:]
    assert [(line.address, line.title) for line in accepted] == [
        ("a@example.com", "Dear Ada"),
        ("b@example.com", "Dear Bo"),
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"to": "nobody"}, "to parameter is not a valid address"),
        ({"to": "ada@example.com", "from": "me@home"}, "from parameter is not a valid address"),
        ({"to": "ada@example.com", "text": ""}, "Need at least one of"),
    ],
)
async def test_mailgun_refuses(bench: Bench, fields: dict[str, str], said: str) -> None:
    reply = await asyncio.to_thread(mailgun(bench), **fields)
    assert reply.status_code == 400
    assert reply.json()["message"].startswith(said)


async def test_mailgun_takes_names_and_copies(bench: Bench) -> None:
    fields = {"from": "Shop <shop@example.com>", "to": "Ada <ada@example.com>"}
    reply = await asyncio.to_thread(mailgun(bench), **fields, cc="Bo <bo@example.com>")
    assert reply.status_code == 200
    accepted = read_accept_log(bench.log)[-2:]
    assert [line.address for line in accepted] == ["ada@example.com", "bo@example.com"]
    reply = await asyncio.to_thread(mailgun(bench), to="ada@example.com", cc="nobody")
    assert reply.json()["message"].startswith("cc parameter is not a valid address")


async def test_mailgun_takes_25_megabytes(bench: Bench) -> None:
    for size, status in ((24 << 20, 200), (25 << 20, 413)):
        reply = await asyncio.to_thread(mailgun(bench), to="ada@example.com", text="x" * size)
        assert reply.status_code == status


async def test_mailgun_refuses_a_stranger_in_plain_text(bench: Bench) -> None:
    reply = await asyncio.to_thread(mailgun(bench, "key-wrong"), to="ada@example.com")
    assert (reply.status_code, reply.text) == (401, "Forbidden")


def amazon(bench: Bench, service: str, **fields: str) -> Any:
    """boto3's client of a service, which repeats nothing by itself."""
    accounts = bench.running.credentials
    keys = {
        "aws_access_key_id": accounts.aws_access_key_id,
        "aws_secret_access_key": accounts.aws_secret_access_key,
        "region_name": AWS_REGION,
        **fields,
    }
    config = Config(retries={"total_max_attempts": 1})
    return boto3.client(service, endpoint_url=bench.running.base_url, config=config, **keys)


async def ses(client: Any, to: str = "ada@example.com", **fields: Any) -> Any:
    content = {
        "Simple": {
            "Subject": {"Data": "Shipped"},
            "Body": {"Text": {"Data": "On its way"}, "Html": {"Data": "<p>On its way</p>"}},
            "Headers": [{"Name": "List-Unsubscribe", "Value": "<https://example.com/u>"}],
        }
    }
    asked = {
        "FromEmailAddress": "shop@example.com",
        "Destination": {"ToAddresses": [to]},
        "Content": content,
        "EmailTags": [{"Name": name, "Value": value} for name, value in IDS.items()],
        **fields,
    }
    return await asyncio.to_thread(client.send_email, **asked)


async def test_ses_takes_names_and_copies(bench: Bench) -> None:
    to = {"ToAddresses": ["Ada <ada@example.com>"], "BccAddresses": ["bo@example.com"]}
    fields: dict[str, Any] = {"FromEmailAddress": "Shop <shop@example.com>", "Destination": to}
    reply = await ses(amazon(bench, "sesv2"), **fields)
    accepted = read_accept_log(bench.log)[-2:]
    assert [line.address for line in accepted] == ["ada@example.com", "bo@example.com"]
    assert {line.reference for line in accepted} == {reply["MessageId"]}


def simple(*headers: tuple[str, str]) -> dict[str, Any]:
    named = [{"Name": name, "Value": value} for name, value in headers]
    body = {"Text": {"Data": "On its way"}}
    return {"Simple": {"Subject": {"Data": "Shipped"}, "Body": body, "Headers": named}}


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ([("X-A", "x" * 870)], True),
        ([("X-A", "x" * 871)], False),
        ([("X" * 126, "x")], True),
        ([("X" * 127, "x")], False),
        ([("X:A", "x")], False),
        ([("X-A", "ü")], False),
        ([("X-A", "a\r\nb")], False),
        ([(f"X-{number}", "x") for number in range(15)], True),
        ([(f"X-{number}", "x") for number in range(16)], False),
    ],
)
async def test_ses_has_room_for_some_headers(
    bench: Bench, headers: list[tuple[str, str]], is_taken: bool
) -> None:
    """As in Amazon's reference of MessageHeader."""
    sending = ses(amazon(bench, "sesv2"), Content=simple(*headers))
    if is_taken:
        await sending
        return
    with pytest.raises(ClientError) as raised:
        await sending
    assert raised.value.response["Error"]["Code"] == "BadRequestException"


async def test_boto_sends_by_ses(bench: Bench) -> None:
    reply = await ses(amazon(bench, "sesv2"))
    accepted = bench.last()
    assert (accepted.provider, accepted.reference) == ("ses", reply["MessageId"])
    assert (accepted.title, accepted.delivery_id) == ("Shipped", "d1")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"to": "nobody"}, "BadRequestException"),
        ({"FromEmailAddress": "me@home"}, "MessageRejected"),
        ({"Destination": {}}, "BadRequestException"),
        ({"Destination": {"CcAddresses": ["nobody"]}}, "BadRequestException"),
        ({"Destination": {"CcAddresses": ["a@example.com"] * 51}}, "BadRequestException"),
        ({"ReplyToAddresses": ["nobody"]}, "BadRequestException"),
        ({"EmailTags": [{"Name": "a b", "Value": "x"}]}, "BadRequestException"),
        ({"EmailTags": [{"Name": "a", "Value": "x" * 257}]}, "BadRequestException"),
    ],
)
async def test_boto_knows_what_ses_refuses(
    bench: Bench, fields: dict[str, Any], error: str
) -> None:
    with pytest.raises(ClientError) as raised:
        await ses(amazon(bench, "sesv2"), **fields)
    assert raised.value.response["Error"]["Code"] == error


def bulk_entry(to: str, name: str) -> dict[str, Any]:
    values = json.dumps({"name": name})
    return {
        "Destination": {"ToAddresses": [to]},
        "ReplacementTags": [{"Name": "delivery_id", "Value": f"d-{name}"}],
        "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": values}},
    }


async def ses_bulk(client: Any, entries: list[dict[str, Any]], **fields: Any) -> Any:
    content = {"Subject": "Dear {{name}}", "Text": "{{ name }}, your {{thing}} is on its way"}
    template = {"TemplateContent": content, "TemplateData": '{"thing": "order"}'}
    asked = {
        "FromEmailAddress": "shop@example.com",
        "DefaultContent": {"Template": template},
        "DefaultEmailTags": [{"Name": "notification_id", "Value": "n1"}],
        "BulkEmailEntries": entries,
        **fields,
    }
    reply = await asyncio.to_thread(client.send_bulk_email, **asked)
    return reply["BulkEmailEntryResults"]


async def test_boto_sends_to_many_by_ses_each_with_a_text_of_its_own(bench: Bench) -> None:
    entries = [bulk_entry("a@example.com", "Ada"), bulk_entry("b@example.com", "Bo")]
    results = await ses_bulk(amazon(bench, "sesv2"), entries)
    accepted = read_accept_log(bench.log)[-2:]
    assert [(r["Status"], r["MessageId"]) for r in results] == [
        ("SUCCESS", line.reference) for line in accepted
    ]
    assert [
        (line.address, line.title, line.digest, line.notification_id, line.delivery_id)
        for line in accepted
    ] == [
        ("a@example.com", "Dear Ada", digest_of("Ada, your order is on its way"), "n1", "d-Ada"),
        ("b@example.com", "Dear Bo", digest_of("Bo, your order is on its way"), "n1", "d-Bo"),
    ]


async def test_ses_refuses_the_mail_of_an_entry_and_takes_its_neighbours(bench: Bench) -> None:
    bench.fault("ses", dead=frozenset({"gone@example.com"}))
    addresses = ("nobody", "gone@example.com", "c@example.com")
    entries = [bulk_entry(address, "Cy") for address in addresses]
    before = bench.count()
    results = await ses_bulk(amazon(bench, "sesv2"), entries)
    statuses = [result["Status"] for result in results]
    assert statuses == ["INVALID_PARAMETER", "MESSAGE_REJECTED", "SUCCESS"]
    assert (bench.count() - before, bench.last().address) == (1, "c@example.com")


@pytest.mark.parametrize(
    ("entries", "fields"),
    [
        ([bulk_entry("a@example.com", "Ada")] * 51, {}),
        ([], {}),
        ([bulk_entry("a@example.com", "Ada")], {"DefaultContent": {"Template": {}}}),
    ],
    ids=["more than 50", "none", "no template"],
)
async def test_boto_knows_what_ses_refuses_of_a_bulk_mail(
    bench: Bench, entries: list[dict[str, Any]], fields: dict[str, Any]
) -> None:
    before = bench.count()
    with pytest.raises(ClientError) as raised:
        await ses_bulk(amazon(bench, "sesv2"), entries, **fields)
    assert raised.value.response["Error"]["Code"] == "BadRequestException"
    assert bench.count() == before


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ({"aws_secret_access_key": "wrong"}, "InvalidSignatureException"),
        ({"aws_access_key_id": "AKIAWRONG"}, "UnrecognizedClientException"),
        ({"region_name": "us-east-1"}, "InvalidSignatureException"),
    ],
)
async def test_ses_answers_nobody_else(bench: Bench, keys: dict[str, str], error: str) -> None:
    client = amazon(bench, "sesv2", **keys)
    for call in (ses(client), ses_bulk(client, [bulk_entry("a@example.com", "Ada")])):
        with pytest.raises(ClientError) as raised:
            await call
        assert raised.value.response["Error"]["Code"] == error


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, "TooManyRequestsException"), (403, "AccessDeniedException"), (503, "ServiceUnavail")],
)
async def test_boto_knows_ses_in_trouble(bench: Bench, status: int, error: str) -> None:
    bench.fault("ses", error_rate=1.0, status=status)
    with pytest.raises(ClientError) as raised:
        await ses(amazon(bench, "sesv2"))
    assert raised.value.response["Error"]["Code"].startswith(error)
