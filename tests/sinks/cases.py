"""Every provider's case, by its name; a new provider adds a line and a file of its own tests."""

from tests.sinks.rig import Case
from tests.sinks.test_apns import APNS
from tests.sinks.test_chat import DISCORD, SLACK, TEAMS
from tests.sinks.test_fcm import FCM
from tests.sinks.test_mailgun import MAILGUN
from tests.sinks.test_plivo import PLIVO
from tests.sinks.test_postmark import POSTMARK
from tests.sinks.test_resend import RESEND
from tests.sinks.test_sendgrid import SENDGRID
from tests.sinks.test_ses import SES
from tests.sinks.test_slack_app import SLACKAPP
from tests.sinks.test_smtp import SMTP
from tests.sinks.test_sns import SNS
from tests.sinks.test_standard import STANDARD
from tests.sinks.test_telegram import TELEGRAM
from tests.sinks.test_twilio import TWILIO
from tests.sinks.test_vonage import VONAGE
from tests.sinks.test_vonage_messages import VONAGEMESSAGES
from tests.sinks.test_webpush import WEBPUSH
from tests.sinks.test_whatsapp import TWILIOWHATSAPP, VONAGEWHATSAPP

CASES: dict[str, Case] = {
    "apns": APNS,
    "discord": DISCORD,
    "fcm": FCM,
    "mailgun": MAILGUN,
    "postmark": POSTMARK,
    "resend": RESEND,
    "sendgrid": SENDGRID,
    "ses": SES,
    "plivo": PLIVO,
    "slack": SLACK,
    "slackapp": SLACKAPP,
    "smtp": SMTP,
    "sns": SNS,
    "standard": STANDARD,
    "teams": TEAMS,
    "telegram": TELEGRAM,
    "twilio": TWILIO,
    "twiliowhatsapp": TWILIOWHATSAPP,
    "vonage": VONAGE,
    "vonagemessages": VONAGEMESSAGES,
    "vonagewhatsapp": VONAGEWHATSAPP,
    "webpush": WEBPUSH,
}
