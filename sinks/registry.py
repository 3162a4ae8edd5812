"""Every provider by name."""

from collections.abc import Callable

from pipeline.settings import Settings
from sinks.email.sendgrid import SendGrid
from sinks.http import HttpClient
from sinks.provider import Provider
from sinks.push.fcm import Fcm
from sinks.sms.twilio import Twilio

BuildProvider = Callable[[Settings, HttpClient], Provider]

PROVIDERS: dict[str, BuildProvider] = {
    "fcm": Fcm,
    "sendgrid": SendGrid,
    "twilio": Twilio,
}
