import msgspec
import pytest

from policy.catalogue.entry import TenantEntry
from policy.limits.rate_limit import TenantLimit
from policy.time.wall_clock import EVERY_DAY
from policy.user.tenant import DEFAULT_TENANT, Tenant, compiled
from schemas.vocabulary import Channel, Frequency


def test_a_tenant_is_what_its_entry_says() -> None:
    entry = msgspec.convert(
        {
            "zone": "Europe/Berlin",
            "locale": "de",
            "channels": {"sms": True},
            "categories": {"social": {"push": False}},
            "quiet_hours": [
                {"start": "22:00", "end": "07:00"},
                {"start": "00:00", "end": "12:00", "days": ["sun"]},
            ],
            "frequency": {"*": "daily"},
            "digest_at": "18:30",
            "rate_limit": {"count": 100_000, "seconds": 60},
        },
        TenantEntry,
    )
    assert compiled(entry) == Tenant(
        zone="Europe/Berlin",
        locale="de",
        channels={Channel.SMS: True},
        categories={"social": {Channel.PUSH: False}},
        quiet_hours=((EVERY_DAY, 1320, 420), (0b100_0000, 0, 720)),
        frequency={"*": Frequency.DAILY},
        digest_at=1110,
        rate_limit=TenantLimit(100_000, 60),
    )


def test_an_entry_that_says_nothing_is_the_default() -> None:
    assert compiled(TenantEntry()) == DEFAULT_TENANT
    assert (DEFAULT_TENANT.zone, DEFAULT_TENANT.locale) == ("UTC", "en")
    assert DEFAULT_TENANT.digest_at == 9 * 60


def test_midnight_is_a_time_for_digests() -> None:
    assert compiled(TenantEntry(digest_at="00:00")).digest_at == 0


@pytest.mark.parametrize("zone", ["Mars/Base", "", "localtime", "europe/berlin", "UTC+1"])
def test_an_unknown_zone_is_refused_with_its_field(zone: str) -> None:
    with pytest.raises(ValueError, match="not an IANA time zone") as refused:
        compiled(TenantEntry(zone=zone))
    assert refused.value.args == ("zone", f"{zone!r} is not an IANA time zone")
