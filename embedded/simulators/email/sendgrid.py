"""SendGrid's Mail Send, v3: `POST /v3/mail/send`."""

import hmac
import re
import secrets

import msgspec
from aiohttp import web

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from embedded.simulators.email.sendgrid_mail import (
    INVALID_ADDRESS,
    Mail,
    Personalization,
    Problem,
    problems_of,
)
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply
from schemas.vocabulary import Channel

HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html"
MAX_MAIL = 30 << 20  # bytes

MESSAGES = {
    401: "The provided authorization grant is invalid, expired, or revoked",
    403: "The from address does not match a verified Sender Identity.",
    413: "The JSON payload you have included in your request is too large.",
    415: "Content-Type should be application/json.",
    429: "too many requests",
}


class SendGridSimulator:
    """Accepts mail for one API key."""

    name = "sendgrid"

    def __init__(self, api_key: str, log: AcceptLog, faults: Faults) -> None:
        self._authorization = f"Bearer {api_key}".encode()
        self._log = log
        self._faults = faults
        self._decoder = msgspec.json.Decoder(Mail)

    async def send(self, request: web.Request) -> web.Response:
        """Check the key, then the whole mail: it is accepted as one, or not at all."""
        authorization = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(authorization, self._authorization):
            return refuse(401)
        if request.content_type != "application/json":
            return refuse(415)
        body = await request.read()
        if len(body) > MAX_MAIL:
            return refuse(413)
        try:
            mail = self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            return _invalid([Problem(str(error), _field_of(error))])
        if problems := problems_of(mail) or self._dead(mail):
            return _invalid(problems)
        return self._accept(mail)

    def _dead(self, mail: Mail) -> list[Problem]:
        return [
            Problem(INVALID_ADDRESS, f"personalizations.{index}.to.0.email")
            for index, personalization in enumerate(mail.personalizations)
            if any(
                self._faults.is_dead(self.name, each.email) for each in personalization.recipients()
            )
        ]

    def _accept(self, mail: Mail) -> web.Response:
        message_id = secrets.token_urlsafe(16)
        at = now()
        self._log.append(
            self._accepted(mail, personalization, recipient.email, at, message_id)
            for personalization in mail.personalizations
            for recipient in personalization.recipients()
        )
        return web.Response(status=202, headers={"X-Message-Id": message_id})

    def _accepted(
        self,
        mail: Mail,
        personalization: Personalization,
        address: str,
        at: float,
        message_id: str,
    ) -> Accepted:
        # What a template of the account says is not known here.
        texts = [content.value for content in mail.content] or [""]
        ids = {**mail.custom_args, **personalization.custom_args}
        subject = personalization.subject or mail.subject
        accepted = Accepted(
            at=at,
            provider=self.name,
            channel=Channel.EMAIL,
            notification_id=ids.get("notification_id", ""),
            delivery_id=ids.get("delivery_id", ""),
            address=address,
            title=personalization.filled(subject),
            digest=digest_of(personalization.filled(texts[0])),
            reference=message_id,
        )
        return self._log.with_mail(accepted, personalization.filled(texts[-1]))


def refuse(status: int) -> web.Response:
    """SendGrid's error with this HTTP status."""
    message = MESSAGES.get(status, "An error occurred on a SendGrid server.")
    return json_reply({"errors": [{"message": message, "field": None, "help": None}]}, status)


def _invalid(problems: list[Problem]) -> web.Response:
    errors = [{"message": p.message, "field": p.field, "help": HELP} for p in problems]
    return json_reply({"errors": errors}, 400)


def _field_of(error: msgspec.MsgspecError) -> str | None:
    """`$.personalizations[3].to` as SendGrid writes it: `personalizations.3.to`."""
    path = re.search(r"`\$\.?([^`]*)`", str(error))
    if path is None:
        return None
    return re.sub(r"\[(\d+|\.\.\.)\]", r".\1", path[1]) or None
