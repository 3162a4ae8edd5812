"""Every provider's case, by its name; a new provider adds a line and a file of its own tests."""

from tests.sinks.rig import Case
from tests.sinks.test_fcm import FCM
from tests.sinks.test_sendgrid import SENDGRID
from tests.sinks.test_twilio import TWILIO

CASES: dict[str, Case] = {
    "fcm": FCM,
    "sendgrid": SENDGRID,
    "twilio": TWILIO,
}
