"""What holds of every digest, whatever it is made of."""

from collections.abc import Callable, Iterator

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


ONE_PHONE = replace(EVERYWHERE, devices=("phone",))
SEEN, OPENED = Stage.SEEN, Stage.OPENED
BELL_FIRST = kind(
    """digests = [{ channels = ["push"], every = "2h" }, { channels = ["email"], every = "1h" }]
    escalation = [{ after = "30m", channels = ["email"], unless = "opened" }]""",
    "inapp push",
)


@given(
    minutes=st.lists(st.integers(0, 90), min_size=1, max_size=6, unique=True),
    noticed=st.dictionaries(
        st.integers(0, 5), st.tuples(st.integers(0, 200), st.sampled_from([SEEN, OPENED]))
    ),
)
def test_a_digest_leaves_out_what_its_reader_knows_when_it_is_made(
    minutes: list[int], noticed: dict[int, tuple[int, Stage]]
) -> None:
    """A push what was seen, and the mail of a later step what was opened; by when it is closed."""
    minutes.sort()
    known = {
        number: (minutes[number] + gap + 0.5, stage)
        for number, (gap, stage) in noticed.items()
        if number < len(minutes)
    }
    acts = sorted(
        [(float(minute), "happens", number) for number, minute in enumerate(minutes)]
        + [(minute, "noticed", number) for number, (minute, _) in known.items()]
    )
    ann, names, told = Person(BELL_FIRST, ONE_PHONE), dict[int, str](), list[tuple[str, str]]()

    def pass_to(minute: float) -> None:
        while due := [when for _, when in ann.ledger.timers() if when <= NOON + minute * MINUTE]:
            for decision in ann.on_timer(min(due)):
                told.extend((str(each.channel), each.content.body) for each in decision.deliveries)

    for minute, what, number in acts:
        pass_to(minute)
        if what == "happens":
            names[number] = ann.meet(
                at(minute, f"e{number}"), NOON + round(minute * MINUTE)
            ).notification_id
        else:
            ann.notice(names[number], known[number][1])
    pass_to(1000)
    pushes = list(_digests(minutes, 120, lambda number, end: known.get(number, (end,))[0] < end))
    left = [n for n in range(len(minutes)) if not _opened(known, n, minutes[n] + 30)]
    mails = [
        [left[place] for place in digest]
        for digest in _digests(
            [minutes[number] + 30 for number in left],
            60,
            lambda place, end: _opened(known, left[place], end),
        )
    ]
    for channel, expected in (("push", pushes), ("email", mails)):
        texts = [
            ("\n" if channel == "push" else "\n\n").join(f"text of e{n}" for n in digest)
            for digest in expected
            if digest
        ]
        assert [body for each, body in told if each == channel] == texts


def _opened(known: dict[int, tuple[float, Stage]], number: int, by: float) -> bool:
    return number in known and known[number][1] is OPENED and known[number][0] < by


def _digests(
    times: list[int], length: int, is_known: Callable[[int, float], bool]
) -> Iterator[list[int]]:
    """The places of what each digest tells of: windows that the first event opens, in minutes."""
    places = list(range(len(times)))
    while places:
        end = times[places[0]] + length
        inside = [place for place in places if times[place] < end]
        yield [place for place in inside if not is_known(place, end)]
        places = places[len(inside) :]
