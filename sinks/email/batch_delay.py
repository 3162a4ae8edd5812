"""How long mails wait for others, where one call carries many."""

from schemas.vocabulary import Priority

LINGER = {
    Priority.CRITICAL: 0.0,
    Priority.HIGH: 0.2,
    Priority.NORMAL: 1.0,
    Priority.LOW: 5.0,
    Priority.BULK: 5.0,
}
"""Seconds: the less urgent, the longer, as full calls are cheap calls."""
