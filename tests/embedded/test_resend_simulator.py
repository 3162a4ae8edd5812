"""The simulator of Resend, driven by its own SDK, whose key and URL are the module's."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import resend
from resend.exceptions import ResendError

from embedded.simulators.accept_log import read_accept_log
from tests.embedded.conftest import Bench


@pytest.fixture
def bench(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(resend, "api_key", bench.running.credentials.resend_api_key)
    monkeypatch.setattr(resend, "api_url", bench.running.base_url)
    yield bench


def mail(to: str = "ada@example.com", **fields: Any) -> Any:
    return {
        "from": "Shop <shop@example.com>",
        "to": [to],
        "subject": "Shipped",
        "text": "It is on its way",
        "html": "<p>It is on its way</p>",
        "headers": {"List-Unsubscribe": "<https://example.com/u>"},
        "tags": [
            {"name": "notification_id", "value": "n1"},
            {"name": "delivery_id", "value": "d1"},
        ],
        **fields,
    }


async def send(*mails: Any, **options: Any) -> Any:
    send_all: Any = resend.Batch.send
    return await asyncio.to_thread(send_all, list(mails), options)


async def test_resends_sdk_sends_a_batch(bench: Bench) -> None:
    mails = [mail(f"user{number}@example.com") for number in range(3)]
    answer = await send(*mails, mail("nobody"), batch_validation="permissive")
    accepted = read_accept_log(bench.log)[-3:]
    assert [line.reference for line in accepted] == [taken["id"] for taken in answer["data"]]
    assert {(line.provider, line.title, line.delivery_id) for line in accepted} == {
        ("resend", "Shipped", "d1")
    }
    assert [(each["index"], "`to`" in each["message"]) for each in answer["errors"]] == [(3, True)]


async def test_resends_sdk_is_refused_a_whole_batch_unless_it_says_otherwise(bench: Bench) -> None:
    before = bench.count()
    with pytest.raises(ResendError, match="`to` field"):
        await send(mail(), mail("nobody"))
    assert bench.count() == before


async def test_resends_sdk_repeats_under_a_key(bench: Bench) -> None:
    before = bench.count()
    first = await send(mail(), idempotency_key="one")
    assert (await send(mail(), idempotency_key="one"))["data"] == first["data"]
    assert bench.count() == before + 1
    with pytest.raises(ResendError, match="different payload"):
        await send(mail("bo@example.com"), idempotency_key="one")


async def test_resends_sdk_knows_the_errors(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.fault("resend", error_rate=1.0, status=429)
    with pytest.raises(ResendError) as limited:
        await send(mail())
    assert (limited.value.code, limited.value.error_type) == (429, "rate_limit_exceeded")
    bench.running.simulators.faults.clear_all()
    monkeypatch.setattr(resend, "api_key", "re_wrong")
    with pytest.raises(ResendError) as refused:
        await send(mail())
    assert (refused.value.code, refused.value.error_type) == (403, "invalid_api_key")


@pytest.mark.parametrize(
    "fields",
    [
        {"tags": [{"name": "a", "value": "x" * 257}]},
        {"tags": [{"name": "a", "value": "ü"}]},
        {"from": "me@home"},
        {"to": ["ada@example.com", "nobody"]},
        {"headers": {"X": "a\nb"}},
        {"text": "", "html": ""},
    ],
)
async def test_resend_refuses(bench: Bench, fields: dict[str, Any]) -> None:
    with pytest.raises(ResendError):
        await send(mail(**fields))
    with pytest.raises(ResendError, match="between 1 and 100"):
        await send(*[mail()] * 101)
