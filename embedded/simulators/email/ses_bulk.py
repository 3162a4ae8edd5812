"""What Amazon SES takes for a bulk mail, and the mails that come of it.

`POST /v2/email/outbound-bulk-emails`, with the template in the call itself: stored templates have
no simulator.
"""

import re
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from embedded.simulators.email.ses_mail import (
    Body,
    Content,
    Destination,
    Header,
    Mail,
    Simple,
    Text,
)

MOST_ENTRIES = 50
VALUE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class TemplateContent(Struct, rename="pascal", forbid_unknown_fields=True):
    """The template itself."""

    subject: str = ""
    text: str | None = None
    html: str | None = None


class Template(Struct, rename="pascal", forbid_unknown_fields=True):
    """A template and the values that an entry need not give."""

    template_content: TemplateContent
    template_data: str = "{}"


class DefaultContent(Struct, rename="pascal", forbid_unknown_fields=True):
    """What all entries have in common."""

    template: Template


class ReplacementTemplate(Struct, rename="pascal", forbid_unknown_fields=True):
    """An entry's own values."""

    replacement_template_data: str = "{}"


class ReplacementContent(Struct, rename="pascal", forbid_unknown_fields=True):
    """See ReplacementTemplate."""

    replacement_template: ReplacementTemplate = msgspec.field(default_factory=ReplacementTemplate)


class Entry(Struct, rename="pascal", forbid_unknown_fields=True):
    """One recipient's mail."""

    destination: Destination
    replacement_tags: list[Header] = []
    replacement_email_content: ReplacementContent = msgspec.field(
        default_factory=ReplacementContent
    )


class BulkMail(Struct, rename="pascal", forbid_unknown_fields=True):
    """The body of a request."""

    default_content: DefaultContent
    bulk_email_entries: list[Entry]
    from_email_address: str = ""
    default_email_tags: list[Header] = []
    configuration_set_name: str = ""

    def mails(self) -> list[Mail]:
        """Each entry's mail; raises msgspec.MsgspecError for values that are no JSON object."""
        return [self._mail(entry) for entry in self.bulk_email_entries]

    def _mail(self, entry: Entry) -> Mail:
        template = self.default_content.template
        own = entry.replacement_email_content.replacement_template.replacement_template_data
        values = _values(template.template_data) | _values(own)
        content = template.template_content
        body = Body(text=_filled(content.text, values), html=_filled(content.html, values))
        subject = _filled(content.subject, values) or Text("")
        return Mail(
            content=Content(Simple(subject, body)),
            destination=entry.destination,
            from_email_address=self.from_email_address,
            email_tags=[*self.default_email_tags, *entry.replacement_tags],
            configuration_set_name=self.configuration_set_name,
        )


def _values(json: str) -> dict[str, str]:
    return msgspec.json.decode(json, type=dict[str, str])


def _filled(template: str | None, values: Mapping[str, str]) -> Text | None:
    if template is None:
        return None
    return Text(VALUE.sub(lambda match: values.get(match[1], ""), template))
