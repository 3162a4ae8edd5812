"""What the decider keeps for each user of its partition, under tenant and user."""

from policy.user import Ledger, Profile
from tables.table import Table

KEPT = 5000
"""Users of a partition whose state stays decoded: about 2 kB each, and half the cost of a read."""
PROFILES = Table(b"p", Profile, kept=KEPT)
LEDGERS = Table(b"l", Ledger, kept=KEPT)
