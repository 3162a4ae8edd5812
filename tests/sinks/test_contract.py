"""One contract for every provider, against simulators that speak the real wire protocols."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import pytest

from embedded.process import free_port
from embedded.simulators.accept_log import digest_of
from pipeline.settings import Settings
from schemas.errors import Misconfigured
from schemas.vocabulary import Priority, Reason
from sinks.http.client import HttpClient
from sinks.provider import PermanentFailure, Sent, TransientFailure
from tests.patience import until
from tests.sinks.cases import CASES
from tests.sinks.rig import IMPATIENT, PATIENT, Rig


async def test_check_passes_and_names_itself(rig: Rig) -> None:
    await rig.provider.check()
    assert CASES[rig.name] is rig.case
    assert rig.provider.channel is rig.case.channel


async def test_success_is_witnessed_with_its_ids(rig: Rig) -> None:
    outcome = await rig.send(number=7)
    (line,) = rig.witnessed()
    assert isinstance(outcome, Sent)
    assert outcome.reference == line.reference != ""
    sent = rig.delivery(7)
    assert (line.provider, line.channel) == (rig.name, sent.channel)
    assert (line.delivery_id, line.notification_id) == (sent.delivery_id, sent.notification_id)
    assert line.address == sent.address
    assert line.digest == digest_of(sent.content.body)
    assert line.title == (sent.content.title if rig.case.titled else "")


@pytest.mark.parametrize("sign", ["n", "ж", "🦊"])
@pytest.mark.parametrize("rig", sorted(CASES.keys() - {"standard"}), indirect=True)
async def test_ids_may_be_as_long_as_they_may_be(rig: Rig, sign: str) -> None:
    """Simulators hold what travels with a call to what each provider documents."""
    names = dict.fromkeys(("event_id", "user", "tenant"), sign * 200)
    outcome = await rig.send(number=7, type="t" * 200, category="c" * 200, **names)
    assert isinstance(outcome, Sent)
    (line,) = rig.witnessed()
    assert line.delivery_id == rig.delivery(7).delivery_id


async def test_a_batch_keeps_its_order(rig: Rig) -> None:
    batch = [rig.delivery(number) for number in range(60)]
    outcomes = await rig.provider.send(batch)
    by_id = {line.delivery_id: line for line in rig.witnessed()}
    references = [outcome.reference for outcome in outcomes if isinstance(outcome, Sent)]
    assert references == [by_id[sent.delivery_id].reference for sent in batch]
    assert len(rig.witnessed()) == len(batch)


async def test_one_bad_address_costs_nobody_else(rig: Rig) -> None:
    batch = [rig.delivery(number) for number in range(9)]
    batch[4] = rig.delivery(4, address=rig.case.invalid)
    outcomes = await rig.provider.send(batch)
    refused = outcomes[4]
    assert isinstance(refused, PermanentFailure)
    assert refused.reason is Reason.INVALID_ADDRESS
    assert all(isinstance(outcome, Sent) for outcome in [*outcomes[:4], *outcomes[5:]])
    assert sorted(line.delivery_id for line in rig.witnessed()) == [
        sent.delivery_id for sent in batch if sent is not batch[4]
    ]
    rig.assert_secretless(*outcomes)


async def test_dead_address(rig: Rig) -> None:
    rig.fault(dead=frozenset({rig.address(3)}))
    outcome = await rig.send(number=3)
    assert isinstance(outcome, PermanentFailure)
    assert outcome.reason is rig.case.dead


@pytest.mark.parametrize("rig", sorted(CASES.keys() - {"standard"}), indirect=True)
async def test_any_other_refusal(rig: Rig) -> None:
    rig.fault(error_rate=1.0, status=400)
    outcome = await rig.send()
    assert isinstance(outcome, PermanentFailure)
    assert outcome.reason is Reason.REJECTED
    assert outcome.detail
    assert rig.witnessed() == []


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_lose_nothing(rig: Rig, status: int) -> None:
    rig.fault(error_rate=1.0, status=status)
    outcome = await rig.send()
    assert isinstance(outcome, TransientFailure)
    assert not outcome.uncertain
    assert outcome.reason is Reason.UNAUTHORIZED


@pytest.mark.parametrize("wait", [None, 30, "date", "soon"])
async def test_throttled(rig: Rig, wait: int | str | None) -> None:
    header = formatdate(time.time() + 30, usegmt=True) if wait == "date" else wait
    rig.fault(error_rate=1.0, status=429, retry_after=header)
    outcome = await rig.send()
    assert isinstance(outcome, TransientFailure)
    assert not outcome.uncertain
    assert outcome.reason is Reason.THROTTLED
    if wait in (None, "soon"):
        assert outcome.after is None
    else:
        # A date is nearer the later it is read.
        assert outcome.after == pytest.approx(30, abs=PATIENT if wait == "date" else 0)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_provider_error(rig: Rig, status: int) -> None:
    rig.fault(error_rate=1.0, status=status)
    outcome = await rig.send()
    assert isinstance(outcome, TransientFailure)
    assert outcome.uncertain == (status in (502, 504) and rig.case.speaks_http)
    assert outcome.reason is Reason.PROVIDER_ERROR


@pytest.mark.parametrize("patience", [IMPATIENT])
async def test_slow_reply_times_out_though_it_was_accepted(rig: Rig, patience: float) -> None:
    rig.fault(latency=patience * 1.5)
    outcome, arrived = await rig.send_until_it_arrives()
    assert isinstance(outcome, TransientFailure)
    assert outcome.uncertain
    assert outcome.reason is Reason.TIMEOUT
    await until(lambda: len(rig.witnessed()) == arrived)


@pytest.mark.parametrize("patience", [IMPATIENT])
async def test_hanging_provider_times_out(rig: Rig) -> None:
    rig.fault(hang_rate=1.0)
    outcome, _ = await rig.send_until_it_arrives()
    assert isinstance(outcome, TransientFailure)
    assert outcome.uncertain
    assert outcome.reason is Reason.TIMEOUT
    assert rig.witnessed() == []


async def test_connection_reset(rig: Rig) -> None:
    await rig.send()
    rig.fault(reset_rate=1.0)
    outcome = await rig.send(number=1)
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNREACHABLE
    assert len(rig.witnessed()) == 1


async def test_lost_reply_is_a_retry_of_what_was_accepted_once(rig: Rig) -> None:
    rig.fault(drop_reply_rate=1.0)
    outcome = await rig.send(number=5)
    assert isinstance(outcome, TransientFailure)
    assert outcome.uncertain
    assert outcome.reason is Reason.UNREACHABLE
    (line,) = rig.witnessed()
    assert line.delivery_id == rig.delivery(5).delivery_id


@pytest.mark.parametrize("rig", sorted(CASES.keys() - {"standard"}), indirect=True)
async def test_malformed_reply(rig: Rig) -> None:
    rig.fault(malformed_rate=1.0)  # its body repeats our credentials
    outcome = await rig.send()
    assert isinstance(outcome, TransientFailure)
    assert outcome.uncertain
    assert outcome.reason is Reason.UNREADABLE_REPLY
    assert len(rig.witnessed()) == 1


KNOWN = sorted(name for name, case in CASES.items() if case.is_known and case.speaks_http)


@pytest.mark.parametrize("rig", KNOWN, indirect=True)
async def test_a_stranger_on_the_providers_port_refuses_nothing(rig: Rig) -> None:
    """But where whoever has the endpoint is the one to ask."""
    outcome = await rig.send_elsewhere(f"{rig.url}/elsewhere")  # a bare 404 for every path there
    assert isinstance(outcome, TransientFailure)
    assert not outcome.uncertain
    assert outcome.reason is Reason.UNREADABLE_REPLY


async def test_nobody_listens(rig: Rig) -> None:
    outcome = await rig.send_elsewhere(f"{urlsplit(rig.url).scheme}://127.0.0.1:{free_port()}")
    assert isinstance(outcome, TransientFailure)
    assert not outcome.uncertain
    assert outcome.reason is Reason.UNREACHABLE


@pytest.mark.parametrize(
    ("name", "update", "said"),
    [(name, *wrong) for name, case in CASES.items() for wrong in case.misconfigured],
)
async def test_check_names_the_setting(
    settings: Settings, http: HttpClient, name: str, update: Mapping[str, Any], said: str
) -> None:
    wrong = Settings(**{**settings.model_dump(), **update})
    with pytest.raises(Misconfigured, match=said):
        await CASES[name].kind(wrong, http).check()


def test_linger_is_as_the_provider_gains_from_it(rig: Rig) -> None:
    assert tuple(rig.provider.linger(priority) for priority in Priority) == rig.case.linger
