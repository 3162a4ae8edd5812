"""Amazon SNS's Publish to a phone number: `POST /`, in its Query protocol."""

import re
import uuid
from collections.abc import Mapping
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from aiohttp import web

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from embedded.simulators.aws import AwsAccount
from embedded.simulators.faults import Faults
from schemas.vocabulary import Channel

NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
NUMBER = re.compile(r"\+[1-9]\d{6,14}")
SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]{1,11}")
MOST_TEXT = 1600  # characters

# HTTP status: (SNS's code, message), as Amazon documents them.
ERRORS = {
    400: ("InvalidParameter", "Invalid parameter: Message"),
    401: ("InvalidClientTokenId", "The security token included in the request is invalid."),
    403: ("AuthorizationError", "Not authorized to perform: SNS:Publish"),
    404: ("NotFound", "The requested resource does not exist."),
    429: ("Throttled", "Rate exceeded"),
    500: ("InternalError", "Internal failure"),
    503: ("ServiceUnavailable", "The service is unavailable."),
}


class SnsSimulator:
    """Accepts messages for one account."""

    name = "sns"

    def __init__(self, account: AwsAccount, log: AcceptLog, faults: Faults) -> None:
        self._account = account
        self._log = log
        self._faults = faults

    async def send(self, request: web.Request) -> web.Response:
        """Check the signature, then the form; accept what passes."""
        body = await request.read()
        if problem := self._account.problem_of(request, body, self.name):
            code = {"UnrecognizedClientException": "InvalidClientTokenId"}.get(problem)
            return _error(403, code or "SignatureDoesNotMatch", "The request is not signed right.")
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        attributes = _attributes(form)
        if refused := problem_of(form, attributes):
            return _error(400, "InvalidParameter", f"Invalid parameter: {refused}")
        if self._faults.is_dead(self.name, form["PhoneNumber"]):
            return _error(400, "OptedOut", "The phone number has opted out.")
        return self._accept(form, attributes)

    def _accept(self, form: Mapping[str, str], attributes: Mapping[str, str]) -> web.Response:
        reference = str(uuid.uuid4())
        accepted = Accepted(
            at=now(),
            provider=self.name,
            channel=Channel.SMS,
            notification_id=attributes.get("notification_id", ""),
            delivery_id=attributes.get("delivery_id", ""),
            address=form["PhoneNumber"],
            title="",
            digest=digest_of(form["Message"]),
            reference=reference,
        )
        self._log.append((accepted,))
        result = f"<PublishResult><MessageId>{reference}</MessageId></PublishResult>"
        return _xml(200, "PublishResponse", result)


def problem_of(form: Mapping[str, str], attributes: Mapping[str, str]) -> str | None:
    """SNS's words for the first thing that it refuses in the form."""
    if form.get("Action") != "Publish":
        return f"Action {form.get('Action')}"
    if not NUMBER.fullmatch(form.get("PhoneNumber", "")):
        return "PhoneNumber Reason: not valid to publish to"
    if not form.get("Message"):
        return "Empty message"
    if len(form["Message"]) > MOST_TEXT:
        return "Message too long"
    sender = attributes.get("AWS.SNS.SMS.SenderID")
    if sender is not None and not SENDER.fullmatch(sender):
        return f"MessageAttributes Reason: SenderID {sender}"
    return None


def refuse(status: int) -> web.Response:
    """SNS's error with this HTTP status."""
    return _error(status, *ERRORS.get(status, ERRORS[500]))


def _attributes(form: Mapping[str, str]) -> dict[str, str]:
    names = re.compile(r"MessageAttributes\.entry\.(\d+)\.Name")
    return {
        value: form.get(f"MessageAttributes.entry.{match[1]}.Value.StringValue", "")
        for name, value in form.items()
        if (match := names.fullmatch(name))
    }


def _error(status: int, code: str, message: str) -> web.Response:
    kind = "Sender" if status < 500 else "Receiver"
    error = f"<Type>{kind}</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
    return _xml(status, "ErrorResponse", f"<Error>{error}</Error>", metadata=False)


def _xml(status: int, root: str, inner: str, *, metadata: bool = True) -> web.Response:
    request_id = f"<RequestId>{uuid.uuid4()}</RequestId>"
    end = f"<ResponseMetadata>{request_id}</ResponseMetadata>" if metadata else request_id
    text = f'<{root} xmlns="{NAMESPACE}">{inner}{end}</{root}>'
    return web.Response(status=status, text=text, content_type="text/xml")
