"""What the decider keeps for each user of its partition, under tenant and user."""

from policy.user import Ledger, Profile
from tables.table import Table

PROFILES = Table(b"p", Profile)
LEDGERS = Table(b"l", Ledger)
