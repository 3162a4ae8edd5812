"""Mails with links of ours on their way to a provider, and what becomes of them without a place."""

import asyncio
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from agents.sink.dispatch import Dispatch
from agents.sink.provider_calls import Call
from embedded.simulators.accept_log import digest_of, read_accept_log
from embedded.simulators.server import serving
from policy.rendering.channels.own_links import STAND_INS
from policy.tracking.ticket import Purpose, issue_ticket
from schemas.delivery import Content
from schemas.vocabulary import Channel, Priority, Reason
from sinks.email.sendgrid import SendGrid
from sinks.http.client import HttpClient
from sinks.provider import TransientFailure
from sinks.registry import Weighted
from tables.sent import SentLedger, SentMark
from tables.storage.memory_store import MemoryStore
from tests.agents.line import Line
from tests.agents.samples import delivery
from tests.agents.stage import staging
from tests.patience import PATIENCE

KEY = "a key to sign with"
BODY = f"Leave: {STAND_INS['unsubscribe_url']}"


async def test_links_are_made_as_a_mail_leaves_and_it_waits_where_they_can_not_be(
    line: Line, tmp_path: Path
) -> None:
    http, log = HttpClient(PATIENCE, connections=8), tmp_path / "accepted.jsonl"
    async with (
        serving(0, log, tmp_path / "simulators") as running,
        staging(line, tmp_path / "state", calls_in_flight=8, provider_timeout=PATIENCE) as stage,
    ):

        def dispatch(url: str) -> Dispatch:
            update = {
                "sendgrid_url": running.base_url,
                "sendgrid_api_key": SecretStr(running.credentials.sendgrid_api_key),
                "public_url": url,
                "signing_key": SecretStr(KEY),
            }
            runtime = replace(stage.runtime, settings=stage.settings.model_copy(update=update))
            provider = SendGrid(runtime.settings, http)
            return Dispatch([Weighted(provider, 1)], runtime, holds=False)

        def call(address: str, body: str) -> Call:
            said = delivery(
                stage.clock,
                channel=Channel.EMAIL,
                address=address,
                priority=Priority.NORMAL,
                content=Content(title="Hi", body=body),
            )
            return Call(said, SentLedger(MemoryStore()), stage.closing)

        linked, plain = call("ada@example.com", BODY), call("bo@example.com", "text")
        nowhere = dispatch("")
        waits, sent = await asyncio.gather(nowhere.deliver(linked), nowhere.deliver(plain))
        assert isinstance(sent.result, SentMark)
        assert isinstance(waits.result, TransientFailure)
        assert waits.result.reason is Reason.UNAUTHORIZED
        assert "TOCSIN_PUBLIC_URL" in waits.result.detail
        assert [each.state for each in nowhere.circuits()] == ["closed"]

        again = await dispatch("https://n.example.com").deliver(linked)
        assert isinstance(again.result, SentMark)
    await http.close()
    ticket = issue_ticket(linked.delivery, Purpose.UNSUBSCRIBE, KEY.encode())
    assert {each.address: each.digest for each in read_accept_log(log)} == {
        "bo@example.com": digest_of("text"),
        "ada@example.com": digest_of(f"Leave: https://n.example.com/unsubscribe/{ticket}"),
    }
