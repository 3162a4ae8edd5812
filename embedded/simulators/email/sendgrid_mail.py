"""What SendGrid takes for a mail, and what it refuses in one."""

from typing import Any, NamedTuple

from msgspec import Struct, field

from embedded.simulators.email.mailbox import ADDRESS

MAX_PERSONALIZATIONS = 1000
MAX_SUBSTITUTIONS = 10_000  # bytes of tags and values in one personalization
MAX_CUSTOM_ARGS = 10_000  # bytes in one personalization

INVALID_ADDRESS = "Does not contain a valid address."


class Problem(NamedTuple):
    """One thing refused: SendGrid's words, and the field by its dotted path."""

    message: str
    field: str | None


class Address(Struct, forbid_unknown_fields=True):
    """A mailbox."""

    email: str
    name: str | None = None


class Personalization(Struct, forbid_unknown_fields=True):
    """What one copy of the mail has of its own."""

    to: list[Address]
    cc: list[Address] = []
    bcc: list[Address] = []
    subject: str = ""
    headers: dict[str, str] = {}
    substitutions: dict[str, str] = {}
    custom_args: dict[str, str] = {}
    dynamic_template_data: dict[str, Any] | None = None
    send_at: int | None = None
    from_: Address | None = field(default=None, name="from")

    def recipients(self) -> list[Address]:
        """All who get the mail, openly or not."""
        return [*self.to, *self.cc, *self.bcc]

    def filled(self, text: str) -> str:
        """The text with this copy's values in place of its tags."""
        for tag, value in self.substitutions.items():
            text = text.replace(tag, value)
        return text


class Content(Struct, forbid_unknown_fields=True):
    """The body in one MIME type."""

    type: str
    value: str


class Mail(Struct, forbid_unknown_fields=True):
    """The body of a request."""

    from_: Address = field(name="from")
    personalizations: list[Personalization] = []
    content: list[Content] = []
    subject: str = ""
    custom_args: dict[str, str] = {}
    reply_to: Address | None = None
    reply_to_list: list[Address] = []
    attachments: list[dict[str, Any]] = []
    sections: dict[str, str] = {}
    template_id: str = ""
    """Has content and subject of its own; that of a dynamic one begins with `d-`."""
    headers: dict[str, str] = {}
    categories: list[str] = []
    send_at: int | None = None
    batch_id: str | None = None
    ip_pool_name: str | None = None
    asm: dict[str, Any] | None = None
    mail_settings: dict[str, Any] | None = None
    tracking_settings: dict[str, Any] | None = None


def problems_of(mail: Mail) -> list[Problem]:
    """Everything that SendGrid refuses in the mail; empty when it is accepted."""
    problems = list(_envelope_problems(mail))
    seen: set[str] = set()
    for index, personalization in enumerate(mail.personalizations):
        problems += _copy_problems(f"personalizations.{index}", personalization, seen)
        if mail.template_id.startswith("d-") and personalization.substitutions:
            text = "Substitutions may not be used with dynamic templating"
            problems.append(Problem(text, f"personalizations.{index}.substitutions"))
        if not (mail.subject or personalization.subject or mail.template_id):
            problems.append(Problem("The subject is required.", "subject"))
    return problems


def _envelope_problems(mail: Mail) -> list[Problem]:
    problems = []
    count = len(mail.personalizations)
    if not count:
        problems.append(Problem("You must have at least one personalization.", "personalizations"))
    if count > MAX_PERSONALIZATIONS:
        text = (
            "The personalization block is limited to 1000 personalizations per API request. You "
            f"have provided {count} personalizations."
        )
        problems.append(Problem(text, "personalizations"))
    if not ADDRESS.fullmatch(mail.from_.email):
        problems.append(Problem(INVALID_ADDRESS, "from.email"))
    if not mail.content and not mail.template_id:
        problems.append(Problem("You must have at least one content.", "content"))
    for index, content in enumerate(mail.content):
        if not content.value:
            text = "The content value must be a string at least one character in length."
            problems.append(Problem(text, f"content.{index}.value"))
    return problems


def _copy_problems(path: str, copy: Personalization, seen: set[str]) -> list[Problem]:
    problems = []
    if not copy.to:
        problems.append(Problem("The to array is required for all personalization objects.", path))
    for name, addresses in (("to", copy.to), ("cc", copy.cc), ("bcc", copy.bcc)):
        for index, address in enumerate(addresses):
            if not ADDRESS.fullmatch(address.email):
                problems.append(Problem(INVALID_ADDRESS, f"{path}.{name}.{index}.email"))
            if address.email in seen:
                text = f"Each unique email address should only be included once: {address.email}"
                problems.append(Problem(text, f"{path}.{name}"))
            seen.add(address.email)
    if _size(copy.substitutions) > MAX_SUBSTITUTIONS:
        problems.append(Problem("Substitutions exceed 10,000 bytes.", f"{path}.substitutions"))
    if _size(copy.custom_args) > MAX_CUSTOM_ARGS:
        problems.append(Problem("Custom arguments exceed 10,000 bytes.", f"{path}.custom_args"))
    return problems


def _size(values: dict[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in values.items())
