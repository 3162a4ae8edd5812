"""What holds of every limit over all channels, however a notification goes out."""

from hypothesis import given
from hypothesis import strategies as st

from tests.agents.compositions.flow import NIGHT, Flow, event, kind, play, wishes

STEPS = (
    "",
    'escalation = [{ after = "5m", channels = ["push"] }]',
    'escalation = [{ after = "5m", channels = ["push"] }, { after = "1h", channels = ["email"] }]',
)
LIMIT = "limit = { count = 1, seconds = 86400 }"
PLACES = {
    "category": ("", f"[categories.things]\nrate_{LIMIT}"),
    "tenant": ("", f"[tenants.default]\nrate_{LIMIT}"),
    "actor": (f"actor_{LIMIT}", ""),
}


@given(
    step=st.sampled_from(STEPS),
    place=st.sampled_from(sorted(PLACES)),
    hour=st.integers(0, 23),
    is_quiet=st.booleans(),
    gathers=st.booleans(),
)
def test_the_one_notification_of_a_day_goes_out_on_all_its_channels(
    step: str, place: str, hour: int, is_quiet: bool, gathers: bool
) -> None:
    own, others = PLACES[place]
    digest = 'digests = [{ channels = ["push"], every = "10m" }]' if gathers and step else ""
    spec = kind(f"{own}\n{digest}\n{step}", "inapp", ttl="5d", more=others)
    flow = Flow(
        name="",
        catalogue=spec,
        acts=(
            wishes("1 00:00", quiet_hours=NIGHT if is_quiet else []),
            event("e1", f"2 {hour:02}:00"),
        ),
        sent=(),
    )
    played = play(flow)
    channels = sorted(line.split()[2] for line in played.sent)
    assert channels == sorted(
        f"{name}:" for name in ("inapp", "push", "email") if f'"{name}"' in spec
    )
    assert played.silent == ()
