"""What each tenant may still set off in this partition of the router."""

from policy.limits.fair_share import Bucket
from tables.storage.table import Table

SHARES = Table(b"b", Bucket, kept=1000)
"""By tenant."""
