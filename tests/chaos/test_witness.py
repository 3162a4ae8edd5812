"""Tests for the tests: the judge must find every fault that is planted into its input."""

from tests.chaos.script import Script
from tests.chaos.witness import Acceptance, Key, Output, collapse, judge

SCRIPT = Script("planted", 50)
EXPECTED = [key for number in range(50) for _, key, _ in SCRIPT.expected(number)]
ACCEPTED = [Acceptance(key, f"call-{number}") for number, key in enumerate(EXPECTED)]


def test_a_faultless_run_has_nothing_to_report() -> None:
    verdict = judge(EXPECTED, ACCEPTED, (), ())
    assert not verdict.lost and not verdict.unexpected and not verdict.excused
    assert verdict.duplicate_calls == verdict.duplicate_messages == 0


def test_each_dropped_acceptance_is_one_loss() -> None:
    for at, key in enumerate(EXPECTED):
        verdict = judge(EXPECTED, ACCEPTED[:at] + ACCEPTED[at + 1 :], (), ())
        assert verdict.lost == {key}


def test_a_duplicated_acceptance_is_one_duplicate_call() -> None:
    again = ACCEPTED[7]._replace(call="again")
    verdict = judge(EXPECTED, [*ACCEPTED, again], (), ())
    assert (verdict.duplicate_calls, verdict.duplicate_messages) == (1, 1)
    assert not verdict.lost


def test_a_duplicated_line_counts_though_it_names_the_same_call() -> None:
    assert judge(EXPECTED, [*ACCEPTED, ACCEPTED[7]], (), ()).duplicate_calls == 1


def test_a_call_with_many_messages_is_wasted_once() -> None:
    batch = [Acceptance(key, "batch") for key in EXPECTED[:5]]
    verdict = judge(EXPECTED, [*batch, *ACCEPTED], (), ())
    assert (verdict.duplicate_calls, verdict.duplicate_messages) == (1, 5)


def test_swapped_users_are_two_losses_and_two_that_nobody_expected() -> None:
    one, other = ACCEPTED[0], ACCEPTED[-1]
    swapped = [
        one._replace(key=one.key._replace(user=other.key.user, address=other.key.address)),
        *ACCEPTED[1:-1],
        other._replace(key=other.key._replace(user=one.key.user, address=one.key.address)),
    ]
    verdict = judge(EXPECTED, swapped, (), ())
    assert verdict.lost == {one.key, other.key}
    assert verdict.unexpected == {swapped[0].key, swapped[-1].key}


def test_what_was_suppressed_or_dead_is_excused_and_not_lost() -> None:
    one, other = EXPECTED[0], EXPECTED[-1]
    verdict = judge(EXPECTED, ACCEPTED[1:-1], {one.anywhere()}, {other})
    assert not verdict.lost
    assert verdict.excused == {one, other}


def _output(number: int = 0, value: bytes = b"{}", name: str = "") -> Output:
    return Output(name or f"id-{number}", Key("event", f"user-{number}", "push"), "topic-0", value)


def test_repeats_of_the_decider_are_counted_and_collapse() -> None:
    collapsed = collapse([_output(0), _output(1), _output(0), _output(0)])
    assert (collapsed.ids, collapsed.repeats) == (2, 2)
    assert not collapsed.altered and not collapsed.doubled


def test_an_id_with_two_contents_is_found() -> None:
    assert collapse([_output(0), _output(0, b"[]")]).altered == {"id-0"}


def test_a_message_with_two_ids_is_found() -> None:
    assert collapse([_output(0), _output(0, name="other")]).doubled == {_output(0).key}


def test_the_script_keeps_every_user_below_the_rate_limits() -> None:
    script = Script("limits", 4000)
    heard: dict[tuple[str, str, str], set[str]] = {}
    for number in range(4000):
        for _, key, _ in script.expected(number):
            kind = "chat" if "-chat-" in key.user else "other"
            heard.setdefault((key.user, key.channel, kind), set()).add(key.event)
    for (_, _, kind), events in heard.items():
        assert len(events) <= (60 if kind == "chat" else 10)


def test_the_script_says_the_same_each_time_and_every_message_once() -> None:
    messages = [name for number in range(500) for name, _, _ in Script("s", 500).expected(number)]
    assert len(set(messages)) == len(messages) > 500
    assert messages[:3] == [name for name, _, _ in Script("s", 500).expected(0)][:3]
