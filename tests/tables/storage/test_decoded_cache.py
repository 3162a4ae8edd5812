"""Which values stay decoded."""

from hypothesis import given
from hypothesis import strategies as st

from tables.storage.decoded_cache import Recent


@given(st.lists(st.lists(st.integers(0, 30), max_size=8), max_size=40))
def test_the_last_used_are_kept_as_they_were_last_and_never_too_many(
    turns: list[list[int]],
) -> None:
    recent, most, used = Recent[int](10), 10, list[bytes]()
    for number, turn in enumerate(turns):
        keys = [b"%d" % key for key in turn]
        recent.keep(dict.fromkeys(keys, number))
        used = [key for key in used if key not in keys] + list(dict.fromkeys(keys))
        known = recent.old | recent.young
        assert len(known) <= 2 * most + 8
        assert set(used[-most:]) <= known.keys()
        assert all(known[key] == number for key in keys)
