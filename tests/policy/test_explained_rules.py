"""What an explanation says of the rules that look at more than a preference."""

import pytest
from msgspec.structs import replace

from policy.decision.decide import decide
from policy.dedupe import NO_MARKS, Mark, mark_key, remember
from policy.identity import notification_id
from policy.limits.rate_limit import Window
from policy.user.ledger import Ledger
from policy.user.state import UserState
from schemas.vocabulary import Channel, Reason
from tests.policy.decision.test_explanation import NEW, line, told
from tests.policy.person import NIGHT, kind
from tests.policy.samples import EVERYWHERE, HOUR, NOON, request, variant


@pytest.mark.parametrize("ago", [1, 500, 999])
def test_what_is_over_a_limit_is_gathered_for_a_second_at_least(ago: int) -> None:
    spec = kind('rate_limit = { count = 1, seconds = 1, over = "digest" }', "push")
    ledger = Ledger(NO_MARKS, {"push.thing": Window(1, (NOON - ago,))})
    (waits,) = told(UserState(EVERYWHERE, ledger), spec).waits
    # Five seconds more, as with every digest, for what comes late.
    assert (waits.until, waits.reason) == (NOON + 6000, Reason.RATE_LIMITED)


@pytest.mark.parametrize(("key", "what"), [(None, "id"), ("k", "idempotency key")])
def test_a_mark_that_counts_no_more_is_told_with_its_place(key: str | None, what: str) -> None:
    name = mark_key(notification_id("default", key or "e1", "ann", "thing"))
    mark = Mark(3, 41, NOON - 25 * HOUR, 24)
    state = UserState(EVERYWHERE, Ledger(remember(NO_MARKS, name, mark)))
    found = told(state, asked=request(origin=NEW, key=key))
    said = f"this {what} from events/3/41 at 2026-02-28T11:00:00Z; counts for 24h"
    assert line(found, "told before") == (said, "")
    assert found.told_before is None


def test_what_is_asked_of_the_whole_comes_first_and_in_order() -> None:
    found = told()
    assert [(each.step, each.channel, each.rule) for each in found.asked[:4]] == [
        (0, None, "event time"),
        (0, None, "told before"),
        (0, None, "time to live"),
        (0, None, "cancellation"),
    ]


def test_what_is_muted_is_told_by_its_topic() -> None:
    data = {"text": "x", "key": "cats"}
    found = told(spec=kind("", "push"), asked=request(origin=NEW, data=data))
    assert line(found, "mutes", Channel.PUSH) == ("about things/cats; no topics muted", "")


def test_quiet_hours_that_last_too_long_are_told_as_such() -> None:
    quiet = replace(EVERYWHERE, quiet_hours=NIGHT, zone="UTC")
    found = told(quiet, kind("", "push"), now=NOON + 24 * HOUR - 1)
    silent = [each for each in found.silent if each.channel is Channel.PUSH]
    assert [each.reason for each in silent] == [Reason.QUIET_HOURS]
    assert silent[0].detail.endswith(", and by then it is too old")


def test_the_moment_of_an_event_is_in_its_text() -> None:
    said = 'push = { title = "{{ actor }}", body = "{{ occurred_at | date }}"'
    spec = variant(('push = { title = "Hi", body = "{{ data.text }}"', said))
    deliveries = decide(request(), spec, UserState(EVERYWHERE), NOON).deliveries
    (content, *_) = [each.content for each in deliveries if each.channel is Channel.PUSH]
    assert (content.title, content.body) == ("bob", "Mar 1, 2026")
