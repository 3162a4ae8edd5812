"""The words by which a person answers a text: stop, start again, or neither."""

_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_START = frozenset({"START", "YES", "UNSTOP"})


def wants_texts(text: str) -> bool | None:
    """False for STOP, True for START, None for anything else, HELP included.

    Only a text that is nothing but the word counts, as providers have it.
    """
    word = text.strip().strip(".!\"'").upper()
    if word in _STOP:
        return False
    return True if word in _START else None
