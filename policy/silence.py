"""Channels that make no sound, so that nothing of them waits for the morning or for a digest
that a user asked for.
"""

from schemas.vocabulary import Channel

SILENT = frozenset({Channel.INAPP, Channel.WEBHOOK})
