"""How soon a browser is to be woken, as RFC 8030 says it."""

from schemas.vocabulary import Priority

URGENCY = {
    Priority.CRITICAL: "high",
    Priority.HIGH: "high",
    Priority.NORMAL: "normal",
    Priority.LOW: "low",
    Priority.BULK: "very-low",
}
