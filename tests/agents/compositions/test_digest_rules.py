"""What holds of every digest, whatever it is made of."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.vocabulary import Stage
from tests.policy.person import MINUTE, Person, at, kind
from tests.policy.samples import EVERYWHERE, HOUR, NOON

HOURLY = kind('digests = [{ channels = ["push"], every = "1h" }]')
SHORT = replace(HOURLY, time_to_live=30 * MINUTE)


@given(
    minutes=st.lists(st.integers(0, 59), min_size=1, max_size=8, unique=True),
    muted=st.sets(st.integers(0, 7)),
    is_short=st.booleans(),
)
def test_a_digest_tells_of_just_those_events_that_could_be_told_alone(
    minutes: list[int], muted: set[int], is_short: bool
) -> None:
    minutes.sort()
    ann = Person(SHORT if is_short else HOURLY)
    for number, minute in enumerate(minutes):
        ann.meet(at(minute, f"e{number}", key=f"k{number}"), NOON + minute * MINUTE)
    ann.profile = replace(EVERYWHERE, mutes={f"things/k{number}": 0 for number in muted})
    due = NOON + minutes[0] * MINUTE + HOUR + 5000
    (decision,) = ann.on_timer(due)
    left = [
        number
        for number, minute in enumerate(minutes)
        if number not in muted and not (is_short and minute + 30 <= minutes[0] + 60)
    ]
    expected = "\n".join(f"text of e{number}" for number in left)
    assert {each.content.body for each in decision.deliveries} == ({expected} if left else set())
    ends = {each.request.event.id: each.outcome.stage for each in decision.notices}
    assert ends == {
        f"e{number}": Stage.DIGESTED if number in left else Stage.SUPPRESSED
        for number in range(len(minutes))
    }
    assert not ann.held
