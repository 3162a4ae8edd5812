"""Twilio's Messages: `POST /2010-04-01/Accounts/{sid}/Messages.json`."""

import base64
import hmac
import re
import secrets
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply
from schemas.vocabulary import Channel

NUMBER = re.compile(r"\+[1-9]\d{6,14}")
SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{3,6}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
SERVICE = re.compile(r"MG[0-9a-f]{32}")
NOWHERE = frozenset({f"MG{0:032x}"})
"""Sids that no Messaging Service has."""
MAX_BODY = 1600  # characters
SEGMENT = 153  # characters that one part of a long message carries

# HTTP status: (Twilio's code, message), as Twilio documents them.
ERRORS = {
    400: (21620, "Invalid media URL(s)"),
    401: (20003, "Authenticate"),
    403: (20003, "Permission denied"),
    404: (20404, "The requested resource was not found"),
    429: (20429, "Too Many Requests"),
    500: (20500, "An internal server error has occurred"),
    503: (20503, "Service unavailable"),
}


class TwilioSimulator:
    """Accepts messages for one account."""

    name = "twilio"
    channel = Channel.SMS

    def __init__(self, sid: str, token: str, log: AcceptLog, faults: Faults) -> None:
        self._sid = sid
        self._authorization = b"Basic " + base64.b64encode(f"{sid}:{token}".encode())
        self._log = log
        self._faults = faults

    async def send(self, request: web.Request) -> web.Response:
        """Check the account, then the form; accept what passes."""
        authorization = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(authorization, self._authorization):
            return refuse(401)
        if request.match_info["sid"] != self._sid:
            return refuse(404)
        form = dict(parse_qsl((await request.read()).decode(), keep_blank_values=True))
        if problem := self.problem_of(form):
            return _error(400, *problem)
        if self._faults.is_dead(self.name, form["To"]):
            return _error(400, 21610, "Attempt to send to unsubscribed recipient")
        return self._accept(form)

    def _accept(self, form: dict[str, str]) -> web.Response:
        ids = dict(parse_qsl(urlsplit(form.get("StatusCallback", "")).query))
        title, body = self.shown(form)
        sid = f"SM{secrets.token_hex(16)}"
        accepted = Accepted(
            at=now(),
            provider=self.name,
            channel=self.channel,
            notification_id=ids.get("notification_id", ""),
            delivery_id=ids.get("delivery_id", ""),
            address=form["To"],
            title=title,
            digest=digest_of(body),
            reference=sid,
        )
        self._log.append((accepted,))
        return json_reply(message_resource(self._sid, sid, form), 201)

    def problem_of(self, form: dict[str, str]) -> tuple[int, str] | None:
        """Twilio's code and message for the first thing that it refuses in the form."""
        return problem_of(form)

    def shown(self, form: dict[str, str]) -> tuple[str, str]:
        """What the person sees: a title, where messages have one, and the text."""
        return "", form["Body"]


def problem_of(form: dict[str, str]) -> tuple[int, str] | None:
    """Twilio's code and message for the first thing that it refuses in the form."""
    to, sender, body = form.get("To", ""), form.get("From", ""), form.get("Body", "")
    if not to:
        return 21604, "A 'To' phone number is required."
    if not NUMBER.fullmatch(to):
        return 21211, f"The 'To' number {to} is not a valid phone number."
    if problem := sender_problem(form):
        return problem
    if sender and not SENDER.fullmatch(sender):
        return 21212, f"The 'From' number {sender} is not a valid phone number."
    return body_problem(body) or callback_problem(form)


def sender_problem(form: dict[str, str]) -> tuple[int, str] | None:
    """What is wrong with who is to send it, number or service."""
    service = form.get("MessagingServiceSid", "")
    if not form.get("From") and not service:
        return 21603, "A 'From' phone number is required."
    if service and not SERVICE.fullmatch(service):
        return 21705, "The Messaging Service Sid is invalid."
    if service in NOWHERE:
        return 21701, "The Messaging Service does not exist."
    return None


def body_problem(body: str) -> tuple[int, str] | None:
    """What is wrong with the text."""
    if not body:
        return 21602, "Message body is required."
    if len(body) > MAX_BODY:
        return 21617, "The concatenated message body exceeds the 1600 character limit."
    return None


def callback_problem(form: dict[str, str]) -> tuple[int, str] | None:
    """What is wrong with where reports are to go."""
    if (callback := form.get("StatusCallback")) and not urlsplit(callback).netloc:
        return 21609, f"The StatusCallback URL {callback} is not a valid URL."
    return None


def message_resource(account: str, sid: str, form: dict[str, str]) -> dict[str, object]:
    """A message as Twilio describes one that it has just taken."""
    created = format_datetime(datetime.now(UTC))
    uri = f"/2010-04-01/Accounts/{account}/Messages/{sid}"
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": form.get("Body", ""),
        "date_created": created,
        "date_sent": None,
        "date_updated": created,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": form.get("From"),
        "messaging_service_sid": form.get("MessagingServiceSid"),
        "num_media": "0",
        "num_segments": str(-(-len(form.get("Body", "")) // SEGMENT)),
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": form["To"],
        "uri": f"{uri}.json",
    }


def refuse(status: int) -> web.Response:
    """Twilio's error with this HTTP status."""
    return _error(status, *ERRORS.get(status, (20500, "An internal server error has occurred")))


def _error(status: int, code: int, message: str) -> web.Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": message, "more_info": more, "status": status}
    return json_reply(body, status)
