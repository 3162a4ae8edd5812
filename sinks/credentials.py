"""Whether providers know us: a call to each that sends nothing and changes nothing.

Those that have none are left out: of Apple, browsers and incoming webhooks only a message tells.
"""

from collections.abc import Callable
from urllib.parse import quote, urlencode

from msgspec import Struct

from pipeline.basic_auth import basic
from pipeline.settings import Settings
from schemas.encoding import UNDECODABLE
from schemas.foreign import read_foreign
from sinks.aws import AwsSigner
from sinks.http.client import HttpClient, Reply
from sinks.provider import TransientFailure

SIGNED_RIGHT = (b"AccessDenied", b"AuthorizationError", b"not authorized to perform")
"""What Amazon says to somebody whose signature is right, who may not ask just this."""
RESTRICTED = b"restricted_api_key"
"""What Resend says to a key that may only send."""


class Call(Struct, frozen=True):
    """A question to a provider, a GET unless there is a `body`."""

    url: str
    headers: dict[str, str]
    body: bytes | None = None


class Known(Struct, frozen=True):
    """What came of it: whether the provider knows us, None where that was not found out."""

    is_known: bool | None
    said: str


async def ask(name: str, settings: Settings, http: HttpClient) -> Known | None:
    """Ask a provider about us; None where it has no such question. Raises nothing of a network."""
    if name not in CALLS:
        return None
    call = CALLS[name](settings)
    if call.body is None:
        reply = await http.get(call.url, call.headers)
    else:
        reply = await http.post(call.url, call.body, call.headers)
    return known_by(name, reply)


def known_by(name: str, reply: Reply | TransientFailure) -> Known:
    """What a provider's reply says of us."""
    if isinstance(reply, TransientFailure):
        return Known(None, f"it can't be asked: {reply.detail}")
    may_send_alone = RESTRICTED in reply.body or any(each in reply.body for each in SIGNED_RIGHT)
    if name in ("resend", "ses", "sns") and reply.status in (401, 403) and may_send_alone:
        return Known(True, "it knows us, as one that may not ask more")
    if name == "mailgun" and reply.status in (401, 403):
        return Known(None, f"HTTP {reply.status}; so it is, too, with a key that may only send")
    if name == "slackapp" and reply.status == 200:
        return _by_slack(reply)
    if reply.status < 300:
        return Known(True, "it knows us")
    if reply.status in (400, 401, 403, 404):
        return Known(False, f"it does not know us: HTTP {reply.status}")
    return Known(None, f"it can't be asked: HTTP {reply.status}")


def _by_slack(reply: Reply) -> Known:
    try:
        answer = read_foreign(reply.body, SlackAnswer)
    except UNDECODABLE:
        return Known(None, "its reply is not understood")
    if answer.ok:
        return Known(True, "it knows us")
    return Known(False, f"it does not know us: {answer.error}")


class SlackAnswer(Struct, frozen=True):
    """Slack says with status 200 that it refuses."""

    ok: bool
    error: str = ""


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": basic(user, password)}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _sendgrid(settings: Settings) -> Call:
    url = f"{settings.sendgrid_url.rstrip('/')}/v3/scopes"
    return Call(url, _bearer(settings.sendgrid_api_key.get_secret_value()))


def _mailgun(settings: Settings) -> Call:
    domain = quote(settings.mailgun_domain, safe="")
    url = f"{settings.mailgun_url.rstrip('/')}/v4/domains/{domain}"
    return Call(url, _basic("api", settings.mailgun_api_key.get_secret_value()))


def _postmark(settings: Settings) -> Call:
    token = settings.postmark_server_token.get_secret_value()
    headers = {"X-Postmark-Server-Token": token, "Accept": "application/json"}
    return Call(f"{settings.postmark_url.rstrip('/')}/server", headers)


def _resend(settings: Settings) -> Call:
    key = settings.resend_api_key.get_secret_value()
    return Call(f"{settings.resend_url.rstrip('/')}/domains", _bearer(key))


def _ses(settings: Settings) -> Call:
    base = settings.ses_url or f"https://email.{settings.aws_region}.amazonaws.com"
    url = f"{base.rstrip('/')}/v2/email/account"
    return Call(url, AwsSigner(settings, "ses").headers(url, b"", {}, "GET"))


def _sns(settings: Settings) -> Call:
    base = settings.sns_url or f"https://sns.{settings.aws_region}.amazonaws.com"
    url = f"{base.rstrip('/')}/"
    body = urlencode({"Action": "GetSMSAttributes", "Version": "2010-03-31"}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return Call(url, AwsSigner(settings, "sns").headers(url, body, form), body)


def _twilio(settings: Settings) -> Call:
    sid = settings.twilio_account_sid
    url = f"{settings.twilio_url.rstrip('/')}/2010-04-01/Accounts/{quote(sid, safe='')}.json"
    return Call(url, _basic(sid, settings.twilio_auth_token.get_secret_value()))


def _plivo(settings: Settings) -> Call:
    account = settings.plivo_auth_id
    url = f"{settings.plivo_url.rstrip('/')}/v1/Account/{quote(account, safe='')}/"
    return Call(url, _basic(account, settings.plivo_auth_token.get_secret_value()))


def _vonage(settings: Settings) -> Call:
    secret = settings.vonage_api_secret.get_secret_value()
    query = urlencode({"api_key": settings.vonage_api_key, "api_secret": secret})
    return Call(f"{settings.vonage_url.rstrip('/')}/account/get-balance?{query}", {})


def _telegram(settings: Settings) -> Call:
    token = settings.telegram_bot_token.get_secret_value()
    return Call(f"{settings.telegram_url.rstrip('/')}/bot{token}/getMe", {})


def _slackapp(settings: Settings) -> Call:
    token = settings.slackapp_bot_token.get_secret_value()
    return Call(f"{settings.slackapp_url.rstrip('/')}/auth.test", _bearer(token), b"")


CALLS: dict[str, Callable[[Settings], Call]] = {
    "mailgun": _mailgun,
    "plivo": _plivo,
    "postmark": _postmark,
    "resend": _resend,
    "sendgrid": _sendgrid,
    "ses": _ses,
    "slackapp": _slackapp,
    "sns": _sns,
    "telegram": _telegram,
    "twilio": _twilio,
    "twiliowhatsapp": _twilio,
    "vonage": _vonage,
}
"""Which documented question is asked of whom."""
