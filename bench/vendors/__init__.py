"""The vendors' own SDKs as their documentation has them, pointed at our simulators."""

from bench.vendors import email, push, sms
from bench.vendors.client import Vendor

VENDORS = {
    "apns": Vendor("aioapns.APNs.send_notification", push.Aioapns),
    "fcm": Vendor(
        "firebase_admin.messaging.send_each_async",
        push.Firebase,
        why_one="a call makes a request a message all the same, and is slower with more",
    ),
    "mailgun": Vendor("mailgun.client.Client.messages.create, 16 threads", email.mailgun, 1000),
    "plivo": Vendor(
        "plivo.RestClient.messages.create, 16 threads",
        sms.plivo,
        why_one="a call for many recipients has one text for all of them",
    ),
    "postmark": Vendor(
        "postmarker.PostmarkClient.emails.send_batch, 16 threads", email.postmark, 500
    ),
    "resend": Vendor("resend.Batch.send, 16 threads", email.resend, 100),
    "ses": Vendor("boto3 sesv2 send_bulk_email, 16 threads", email.ses, email.MOST_OF_SES),
    "smtp": Vendor(
        "smtplib.SMTP.send_message, 16 threads",
        email.Smtplib,
        why_one="a transaction with many recipients has one text for all of them",
    ),
    "sns": Vendor(
        "boto3 sns publish, 16 threads",
        sms.sns,
        why_one="its batches go to topics, not to phones",
    ),
    "sendgrid": Vendor("sendgrid.SendGridAPIClient.send, 16 threads", email.sendgrid, 1000),
    "twilio": Vendor("twilio.rest.Client.messages.create_async", sms.Twilio),
    "vonage": Vendor("vonage_sms.Sms.send, 16 threads", sms.vonage),
    "vonagemessages": Vendor("vonage_messages.Messages.send, 16 threads", sms.vonage_messages),
    "webpush": Vendor("pywebpush.webpush, 16 threads", push.pywebpush),
}
"""By provider. Webhooks and chats have none: their calls are compared with the bare client's."""
