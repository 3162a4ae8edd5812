"""Whether limits on money have the prices that they count by."""

from collections.abc import Iterator

from agents.check.findings import Finding, State
from pipeline.catalogue_folder import read_catalogue
from pipeline.settings import Settings
from policy.limits.unpriced import unpriced_limits
from schemas.errors import BadCatalogue


def check_prices(settings: Settings) -> Iterator[Finding]:
    """Look at the catalogue; nothing is said where no limit counts money, or it can't be read."""
    try:
        tenants = read_catalogue(settings.catalogue).tenants
    except BadCatalogue:
        return
    todo = "set TOCSIN_SMS_PRICES for deciders and SMS workers, with '*' for other countries"
    for said in unpriced_limits(tenants, settings.sms_prices):
        yield Finding("SMS prices", State.WARNING, said, todo)
