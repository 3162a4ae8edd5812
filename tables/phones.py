"""Phone numbers, by which STOP finds whom it is from."""

from tables.storage.table import Table

PHONES: Table[bool] = Table(b"n", bool)
"""Users by number, of WhatsApp with its scheme: (number, tenant, user)."""

STOPPED: Table[int] = Table(b"v", int)
"""By number, when STOP last came from it (epoch ms): for users who give the number later."""
