"""The SDKs of e-mail providers."""

from mailgun.client import Client as MailgunClient
from postmarker.core import PostmarkClient
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import Content, CustomArg, From, Mail, Personalization, To

from bench.vendors.amazon import amazon
from bench.vendors.client import Blocking, Opened, Outside


def sendgrid(outside: Outside) -> Opened:
    """Ready to send."""
    settings = outside.settings
    client = SendGridAPIClient(
        settings.sendgrid_api_key.get_secret_value(), host=settings.sendgrid_url
    )

    def call(number: int) -> None:
        mail = Mail(from_email=From(settings.email_from), subject=f"Order {number}")
        mail.add_content(Content("text/plain", "Your order is on its way."))
        person = Personalization()
        person.add_to(To(f"user{number % 10_000}@example.com"))
        for name in ("notification_id", "delivery_id"):
            person.add_custom_arg(CustomArg(name, f"{number:032x}"))
        mail.add_personalization(person)
        client.send(mail)

    return Blocking(call)


def postmark(outside: Outside) -> Opened:
    """Ready to send."""
    settings = outside.settings
    token = settings.postmark_server_token.get_secret_value()
    client = PostmarkClient(server_token=token, root_api_url=f"{settings.postmark_url}/")

    def call(number: int) -> None:
        client.emails.send_batch(
            {
                "From": settings.email_from,
                "To": f"user{number % 10_000}@example.com",
                "Subject": f"Order {number}",
                "TextBody": "Your order is on its way.",
            }
        )

    return Blocking(call)


def mailgun(outside: Outside) -> Opened:
    """Ready to send."""
    settings = outside.settings
    key = settings.mailgun_api_key.get_secret_value()
    client = MailgunClient(auth=("api", key), api_url=settings.mailgun_url)

    def call(number: int) -> None:
        form = {
            "from": settings.email_from,
            "to": f"user{number % 10_000}@example.com",
            "subject": f"Order {number}",
            "text": "Your order is on its way.",
        }
        reply = client.messages.create(data=form, domain=settings.mailgun_domain)
        reply.raise_for_status()

    return Blocking(call)


def ses(outside: Outside) -> Opened:
    """Ready to send."""
    settings = outside.settings
    client = amazon("sesv2", settings.ses_url, settings)

    def call(number: int) -> None:
        body = {"Text": {"Data": "Your order is on its way."}}
        client.send_email(
            FromEmailAddress=settings.email_from,
            Destination={"ToAddresses": [f"user{number % 10_000}@example.com"]},
            Content={"Simple": {"Subject": {"Data": f"Order {number}"}, "Body": body}},
        )

    return Blocking(call)
