"""When Kafka took what a record is about, which an erasure goes by."""


def accepted(said: int, taken: int) -> int:
    """Epoch ms: when a record was `taken`, or, where it follows from another, when that one was.

    Nobody gains by what they say: no record is younger than itself.
    """
    return min(said, taken) if said > 0 else taken
