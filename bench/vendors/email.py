"""The SDKs of e-mail providers, with as many messages in a call as ours puts in one."""

import json
import ssl
import threading
from email.message import EmailMessage
from smtplib import SMTP
from typing import Any
from urllib.parse import urlsplit

import resend as resend_sdk
from mailgun.client import Client as MailgunClient
from postmarker.core import PostmarkClient
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import Content, CustomArg, From, Mail, Personalization, Substitution, To

from bench.vendors.amazon import amazon
from bench.vendors.client import Blocking, Opened, Outside
from bench.vendors.message import ids_of, mailbox, text_of, title_of

TEXT = "-text-"
"""What SendGrid replaces by each recipient's own text: a mail has one content for all."""
MOST_OF_SES = 50


def sendgrid(outside: Outside) -> Opened:
    """A personalization for each recipient, with its own subject, text and ids."""
    settings = outside.settings
    client = SendGridAPIClient(
        settings.sendgrid_api_key.get_secret_value(), host=settings.sendgrid_url
    )

    def call(numbers: range) -> None:
        mail = Mail(from_email=From(settings.email_from))
        mail.add_content(Content("text/plain", TEXT))
        for number in numbers:
            mail.add_personalization(_personalization(number))
        client.send(mail)

    return Blocking(call)


def _personalization(number: int) -> Personalization:
    person = Personalization()
    person.add_to(To(mailbox(number)))
    person.subject = title_of(number)
    person.add_substitution(Substitution(TEXT, text_of(number)))
    for name, value in ids_of(number).items():
        person.add_custom_arg(CustomArg(name, value))
    return person


def postmark(outside: Outside) -> Opened:
    """A batch of whole mails."""
    settings = outside.settings
    token = settings.postmark_server_token.get_secret_value()
    client = PostmarkClient(server_token=token, root_api_url=f"{settings.postmark_url}/")

    def mail(number: int) -> dict[str, Any]:
        return {
            "From": settings.email_from,
            "To": mailbox(number),
            "Subject": title_of(number),
            "TextBody": text_of(number),
            "Metadata": ids_of(number),
        }

    def call(numbers: range) -> None:
        for answer in client.emails.send_batch(*map(mail, numbers)):
            if answer["ErrorCode"]:
                raise RuntimeError(f"postmarker failed: {answer['Message']}")

    return Blocking(call)


def resend(outside: Outside) -> Opened:
    """A batch of whole mails; key and URL are the module's."""
    settings = outside.settings
    resend_sdk.api_key = settings.resend_api_key.get_secret_value()
    resend_sdk.api_url = settings.resend_url

    def mail(number: int) -> resend_sdk.Emails.SendParams:
        return {
            "from": settings.email_from,
            "to": [mailbox(number)],
            "subject": title_of(number),
            "text": text_of(number),
            "tags": [{"name": name, "value": value} for name, value in ids_of(number).items()],
        }

    def call(numbers: range) -> None:
        answer = resend_sdk.Batch.send(
            [mail(number) for number in numbers], {"batch_validation": "permissive"}
        )
        if answer.get("errors"):
            raise RuntimeError(f"resend failed: {answer['errors']}")

    return Blocking(call)


def mailgun(outside: Outside) -> Opened:
    """One form for all recipients, with variables that each has values for."""
    settings = outside.settings
    key = settings.mailgun_api_key.get_secret_value()
    client = MailgunClient(auth=("api", key), api_url=settings.mailgun_url)
    ids = {f"v:{name}": f"%recipient.{name}%" for name in ids_of(0)}

    def call(numbers: range) -> None:
        own = {
            mailbox(number): {
                "subject": title_of(number),
                "text": text_of(number),
                **ids_of(number),
            }
            for number in numbers
        }
        form = {
            "from": settings.email_from,
            "to": list(own),
            "subject": "%recipient.subject%",
            "text": "%recipient.text%",
            "recipient-variables": json.dumps(own),
            **ids,
        }
        reply = client.messages.create(data=form, domain=settings.mailgun_domain)
        reply.raise_for_status()

    return Blocking(call)


class Smtplib:
    """Python's own client: a connection a thread, kept, as its documentation has it."""

    def __init__(self, outside: Outside) -> None:
        self._settings = outside.settings
        self._kept = threading.local()
        self._open: list[SMTP] = []
        self._blocking = Blocking(self._call)

    async def send(self, numbers: range) -> None:
        """A mail each."""
        await self._blocking.send(numbers)

    async def close(self) -> None:
        """End the threads, and say goodbye on each connection."""
        await self._blocking.close()
        for client in self._open:
            client.quit()

    def _call(self, numbers: range) -> None:
        for number in numbers:
            mail = EmailMessage()
            mail["From"], mail["To"] = self._settings.email_from, mailbox(number)
            mail["Subject"] = title_of(number)
            ids = ids_of(number)
            mail["X-Tocsin-Delivery"] = f"{ids['notification_id']}.{ids['delivery_id']}"
            mail.set_content(text_of(number))
            self._client().send_message(mail)

    def _client(self) -> SMTP:
        client: SMTP | None = getattr(self._kept, "client", None)
        if client is None:
            url = urlsplit(self._settings.smtp_url)
            client = SMTP(str(url.hostname), url.port or 0)
            client.starttls(context=ssl.create_default_context(cafile=self._settings.smtp_ca_file))
            client.login(self._settings.smtp_user, self._settings.smtp_password.get_secret_value())
            self._kept.client = client
            self._open.append(client)
        return client


def ses(outside: Outside) -> Opened:
    """`send_bulk_email`: a template in the call itself, and an entry for each recipient."""
    settings = outside.settings
    client = amazon("sesv2", settings.ses_url, settings)
    template = {
        "TemplateContent": {"Subject": "{{subject}}", "Text": "{{text}}"},
        "TemplateData": "{}",
    }

    def call(numbers: range) -> None:
        reply = client.send_bulk_email(
            FromEmailAddress=settings.email_from,
            DefaultContent={"Template": template},
            BulkEmailEntries=[_entry(number) for number in numbers],
        )
        for result in reply["BulkEmailEntryResults"]:
            if result["Status"] != "SUCCESS":
                raise RuntimeError(f"boto3 failed: {result}")

    return Blocking(call)


def _entry(number: int) -> dict[str, Any]:
    values = json.dumps({"subject": title_of(number), "text": text_of(number)})
    return {
        "Destination": {"ToAddresses": [mailbox(number)]},
        "ReplacementTags": [
            {"Name": name, "Value": value} for name, value in ids_of(number).items()
        ],
        "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": values}},
    }
