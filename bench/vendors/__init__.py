"""The vendors' own SDKs as their documentation has them, pointed at our simulators."""

from bench.vendors import email, push, sms
from bench.vendors.client import Vendor

VENDORS = {
    "apns": Vendor("aioapns.APNs.send_notification", push.Aioapns),
    "fcm": Vendor("firebase_admin.messaging.send_each_async", push.Firebase),
    "mailgun": Vendor("mailgun.client.Client.messages.create, 16 threads", email.mailgun),
    "plivo": Vendor("plivo.RestClient.messages.create, 16 threads", sms.plivo),
    "postmark": Vendor("postmarker.PostmarkClient.emails.send_batch, 16 threads", email.postmark),
    "ses": Vendor("boto3 sesv2 send_email, 16 threads", email.ses),
    "sns": Vendor("boto3 sns publish, 16 threads", sms.sns),
    "sendgrid": Vendor("sendgrid.SendGridAPIClient.send, 16 threads", email.sendgrid),
    "twilio": Vendor("twilio.rest.Client.messages.create_async", sms.Twilio),
    "vonage": Vendor("vonage_sms.Sms.send, 16 threads", sms.vonage),
    "webpush": Vendor("pywebpush.webpush, 16 threads", push.pywebpush),
}
"""By provider. Webhooks and chats have none: their calls are compared with the bare client's."""
