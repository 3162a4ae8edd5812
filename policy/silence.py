"""Channels that make no sound, so that nothing of them waits for the morning or for a digest
that a user asked for; and those that cost.
"""

from schemas.vocabulary import Channel

PAID = frozenset({Channel.SMS})
"""Channels of which each message costs."""
SILENT = frozenset({Channel.INAPP, Channel.WEBHOOK})
