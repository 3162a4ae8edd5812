"""What tenants may still set off, as it is stored."""

from policy.limits.fair_share import Bucket
from tables.tenant_budgets import SHARES
from tests.tables.stored import bytes_read_again, read, written


def test_a_share_is_stored_as_the_last_release_stores_it() -> None:
    owing = Bucket(-3500, 1_772_366_400_000)
    assert written(SHARES, owing) == {b"bkey": [-3500, 1_772_366_400_000]}
    assert read(SHARES, b"b", [-3500, 1_772_366_400_000]) == owing


async def test_the_share_of_a_tenant_who_sends_is_at_hand() -> None:
    assert await bytes_read_again(SHARES, Bucket(1, 2)) == 0
