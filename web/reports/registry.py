"""Every provider that reports to us."""

from pipeline.settings import Settings
from web.reports.incoming import Reporter
from web.reports.mailgun import MailgunReports
from web.reports.plivo import PlivoReports
from web.reports.postmark import PostmarkReports
from web.reports.resend import ResendReports
from web.reports.sendgrid import SendGridReports
from web.reports.ses import SesReports
from web.reports.smtp import SmtpReports
from web.reports.twilio import TwilioReports, TwilioWhatsAppReports
from web.reports.vonage import VonageReports
from web.reports.vonage_messages import VonageMessagesReports, VonageWhatsAppReports


def reporters_of(settings: Settings) -> list[Reporter]:
    """All of them, whether they are set up or not."""
    return [
        MailgunReports(settings),
        PlivoReports(settings),
        PostmarkReports(settings),
        ResendReports(settings),
        SendGridReports(settings),
        SesReports(settings),
        SmtpReports(settings),
        TwilioReports(settings),
        TwilioWhatsAppReports(settings),
        VonageReports(settings),
        VonageMessagesReports(settings),
        VonageWhatsAppReports(settings),
    ]
