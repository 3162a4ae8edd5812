"""Channels that make no sound, so that nothing of them waits for the morning or for a digest
that a user asked for; those that cost; and those of which it is known what arrived.
"""

from schemas.vocabulary import Channel

PAID = frozenset({Channel.SMS})
"""Channels of which each message costs."""
RECEIPTED = frozenset({Channel.EMAIL, Channel.SMS})
"""Channels whose providers report that a message was delivered."""
SILENT = frozenset({Channel.INAPP, Channel.WEBHOOK})
