"""What holds of everybody who is not held out, and of everybody who is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agents.compositions.flow import NIGHT, Flow, event, kind, play, wishes

SPECIALS = (
    "",
    'delay = "1h"',
    'digests = [{ channels = ["push"], every = "2h" }]',
    'escalation = [{ after = "1h", channels = ["email"] }]',
    "rate_limit = { count = 1, seconds = 3600 }",
    'send_within = [{ start = "09:00", end = "18:00" }]',
)


@settings(max_examples=40, deadline=None)
@given(
    special=st.sampled_from(SPECIALS),
    hours=st.lists(st.integers(0, 23), min_size=1, max_size=3),
    is_quiet=st.booleans(),
    wants_push=st.booleans(),
    name=st.sampled_from("abcdefgh"),
)
def test_one_is_told_as_without_a_holdout_or_not_at_all(
    special: str, hours: list[int], is_quiet: bool, wants_push: bool, name: str
) -> None:
    acts = (
        wishes("1 00:00", quiet_hours=NIGHT if is_quiet else [], channels={"push": wants_push}),
        *(event(f"e{at}", f"2 {hour:02}:00") for at, hour in enumerate(sorted(hours))),
    )
    without = play(Flow(name="", catalogue=kind(special), acts=acts, sent=()))
    holdout = f'{special}\nholdout = {{ share = "50%", name = "{name}" }}'
    found = play(Flow(name="", catalogue=kind(holdout), acts=acts, sent=()))
    if name in "af":  # in which ann is, see `holdouts`
        assert found.sent == ()
        held_out = {line for line in found.silent if line.endswith(" all holdout")}
        assert held_out or not without.sent
        # What keeps a message from going out at once does so for both.
        assert set(found.silent) - held_out <= set(without.silent)
    else:
        assert found == without
