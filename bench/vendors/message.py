"""The message of each number, which every contestant of the sinks bench sends to its recipient.

No two are alike, as notifications are: one text for all could go out in one call everywhere.
"""


def title_of(number: int) -> str:
    """The title, or subject."""
    return f"Order {number}"


def text_of(number: int) -> str:
    """The text."""
    return f"Order {number} is on its way."


def ids_of(number: int) -> dict[str, str]:
    """What the provider hands back with its reports, so that they can be told apart."""
    return {"notification_id": f"{number + (1 << 64):032x}", "delivery_id": f"{number:032x}"}


def mailbox(number: int) -> str:
    """One of 10,000 mailboxes."""
    return f"user{number % 10_000}@example.com"


def device(number: int) -> str:
    """One of 10,000 devices."""
    return f"device-{number % 10_000}"


def phone(number: int) -> str:
    """One of 10,000 phones, none of which is the sender's."""
    return f"+1500556{number % 10_000:04d}"
