"""What holds of everything that waited, whatever limits it meets."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from policy.user.profile import Profile
from schemas.vocabulary import Channel
from tests.policy.person import MINUTE, NIGHT, ONE, Person, at, kind
from tests.policy.samples import HOUR, NOON

TEXTED = Profile(("phone",), "ann@example.com", "+491511234567", channels={Channel.SMS: True})


@given(
    events=st.integers(1, 9),
    count=st.integers(1, 4),
    over=st.sampled_from(["drop", "digest"]),
)
def test_what_waited_for_the_morning_is_told_alone_or_with_others(
    events: int, count: int, over: str
) -> None:
    """As many alone as the limit lets through; the rest as one, when there is room again."""
    limit = f'rate_limit = {{ count = {count}, seconds = 3600, over = "{over}" }}'
    ann = Person(kind(limit), Profile(("phone",), quiet_hours=NIGHT))
    for number in range(events):
        ann.meet(at(number, f"e{number}"), NOON + number * MINUTE)
    decisions = ann.on_timer(ONE) + ann.on_timer(ONE + HOUR + 5000)
    bodies = [each.content.body for decision in decisions for each in decision.deliveries]
    told = sorted(line for body in bodies for line in body.split("\n"))
    assert told == [f"text of e{number}" for number in range(events)]
    assert len(bodies) == min(events, count) + (events > count)
    assert not ann.held


@given(bad=st.sets(st.integers(0, 5)))
def test_only_events_that_can_not_be_rendered_are_left_out(bad: set[int]) -> None:
    digest = 'digests = [{ channels = ["push"], every = "10m" }]'
    listed = "{% for each in events %}{{ each.data.url }};{% endfor %}"
    own = f'{{ title = "Hi", body = "{{{{ data.text }}}}", digest = {{ body = "{listed}" }} }}'
    ann = Person(kind(digest, texts={"push": own}), Profile(("phone",)))
    for number in range(6):
        more = {} if number in bad else {"url": f"u{number}"}
        ann.meet(at(number, f"e{number}", **more), NOON + number * MINUTE)
    (decision,) = ann.on_timer(NOON + 10 * MINUTE + 5000)
    good = "".join(f"u{number};" for number in range(6) if number not in bad)
    assert [each.content.body for each in decision.deliveries] == ([good] if good else [])
    assert len(decision.notices) == 6


@given(
    late=st.integers(0, 600),
    after=st.lists(st.integers(1, 120), min_size=1, max_size=2),
    delays=st.lists(st.integers(0, 300), min_size=2, max_size=2),
)
def test_between_two_steps_their_reader_has_the_time_that_the_type_leaves(
    late: int, after: list[int], delays: list[int]
) -> None:
    """However late (in minutes) the event is read and timers fire; a minute is as good as none."""
    steps = zip(after, ("email", "sms"), strict=False)
    listed = ", ".join(f'{{ after = "{each}m", channels = ["{name}"] }}' for each, name in steps)
    ann = Person(kind(f"escalation = [{listed}]", ttl="3d"), TEXTED)
    now = NOON + late * MINUTE
    taken = [now] if ann.meet(at(0, "e0"), now).deliveries else []
    for wait in delays[: len(after)]:
        ((_, due),) = ann.ledger.timers()
        now = max(now, due) + wait * MINUTE
        (decision,) = ann.on_timer(now)
        assert decision.deliveries
        taken.append(now)
    gaps = [(second - first) // MINUTE for first, second in pairwise(taken)]
    expected = [each + wait for each, wait in zip(after, delays, strict=False)]
    assert all(0 <= want - gap <= 1 for gap, want in zip(gaps, expected, strict=True))
