"""What each tenant may still set off in this partition of the router."""

from policy.fair_share import Bucket
from tables.table import Table

SHARES = Table(b"b", Bucket, kept=1000)
"""By tenant."""
