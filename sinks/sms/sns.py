"""SMS by Amazon SNS's Publish: one call a message, answered in XML."""

import re

from pipeline.settings import Settings
from schemas.delivery import Delivery
from schemas.vocabulary import Priority, Reason
from sinks.aws import AwsSigner
from sinks.form import encoded
from sinks.http.client import HttpClient, Reply, failure_of, require_url, unreadable
from sinks.provider import Outcome, PermanentFailure, TransientFailure
from sinks.sms.sms_provider import Text, Texter, Texting

VERSION = "2010-03-31"
URGENT = (Priority.CRITICAL, Priority.HIGH)

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
CONFIGURATION_ERRORS = frozenset(
    {
        "AuthorizationError",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UserError",
    }
)
"""Account or its rights: no fault of the recipient's."""
_FIELD = {
    name: re.compile(rf"<{name}>([^<]*)</{name}>") for name in ("MessageId", "Code", "Message")
}


class Sns(Texter):
    """Sends text messages for one account and region.

    What becomes of them SNS writes to CloudWatch alone: there is no report to hand back to us,
    and the ids that travel as attributes serve to find a message there.
    """

    name = "sns"

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        default = f"https://sns.{settings.aws_region}.amazonaws.com"
        self._url = f"{(settings.sns_url or default).rstrip('/')}/"
        self._signer = AwsSigner(settings, "sns")
        super().__init__(Texting(settings, self.name))
        self._http = http

    async def check(self) -> None:
        """Raise Misconfigured for a missing account, region or sender; makes no call."""
        require_url("TOCSIN_SNS_URL", self._url)
        self._signer.check()
        self.texting.check()

    async def send_text(self, delivery: Delivery, text: Text) -> Outcome:
        """The call for one message."""
        body = encoded(form_of(delivery, text))
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        signed = self._signer.headers(self._url, body, headers)
        reply = await self._http.post(self._url, body, signed)
        return reply if isinstance(reply, TransientFailure) else outcome_of(reply, text)


def form_of(delivery: Delivery, text: Text) -> dict[str, str]:
    """The fields of the request for a delivery."""
    form = {
        "Action": "Publish",
        "Version": VERSION,
        "PhoneNumber": text.to,
        "Message": text.body,
    }
    # A name is told as such; a number, which may be a short code, as the one to send from.
    is_number = text.sender.removeprefix("+").isdecimal()
    sender = "AWS.MM.SMS.OriginationNumber" if is_number else "AWS.SNS.SMS.SenderID"
    attributes = {
        sender: text.sender,
        "AWS.SNS.SMS.SMSType": "Transactional" if delivery.priority in URGENT else "Promotional",
        "notification_id": delivery.notification_id,
        "delivery_id": delivery.delivery_id,
    }
    for number, (name, value) in enumerate(attributes.items(), 1):
        prefix = f"MessageAttributes.entry.{number}"
        form[f"{prefix}.Name"] = name
        form[f"{prefix}.Value.DataType"] = "String"
        form[f"{prefix}.Value.StringValue"] = value
    return form


def outcome_of(reply: Reply, text: Text) -> Outcome:
    """What SNS's reply means."""
    xml = reply.body.decode(errors="replace")
    if reply.status == 200:
        reference = _field(xml, "MessageId")
        return text.sent(reference) if reference else unreadable(reply)
    code = _field(xml, "Code")
    if not code:
        return failure_of(reply, None)
    said = f"{code}: {_field(xml, 'Message')}"
    if code in CONFIGURATION_ERRORS:
        return TransientFailure(Reason.UNAUTHORIZED, said)
    elif code.startswith("Throttl"):
        return TransientFailure(Reason.THROTTLED, said, reply.retry_after)
    elif code.startswith("OptedOut") or "opted out" in said:
        return PermanentFailure(Reason.UNREGISTERED, said)
    elif code.startswith(("InvalidParameter", "ParameterValueInvalid")) and "PhoneNumber" in said:
        return PermanentFailure(Reason.INVALID_ADDRESS, said)
    return failure_of(reply, said)


def _field(xml: str, name: str) -> str:
    match = _FIELD[name].search(xml)
    return match[1] if match else ""
