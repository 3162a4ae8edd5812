"""E-mail by Amazon SES, version 2 of its API: one call a mail."""

import re

import msgspec
from msgspec import Struct

from pipeline.settings import Settings
from policy.contact.address import BARE
from schemas.delivery import Delivery
from schemas.encoding import UNDECODABLE
from schemas.foreign import read_foreign
from schemas.vocabulary import Channel, Priority, Reason
from sinks.aws import AwsSigner
from sinks.email.return_path import ReturnPath
from sinks.email.senders import Senders, as_own
from sinks.http.client import HttpClient, Reply, failure_of, require_url
from sinks.provider import Outcome, PermanentFailure, Sent, TransientFailure
from sinks.single_message import SingleMessageProvider

PATH = "/v2/email/outbound-emails"
MOST_TAG = 256
"""Characters of one tag's value."""

# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
CONFIGURATION_ERRORS = frozenset(
    {
        "AccessDeniedException",
        "AccountSuspendedException",
        "ConfigurationSetSendingPausedException",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "LimitExceededException",
        "MailFromDomainNotVerifiedException",
        "NotFoundException",
        "SendingPausedException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Account, sender or configuration set: no fault of the recipient's."""
BAD_ADDRESS = (
    "Domain contains",
    "Domain starts",
    "Illegal address",
    "Invalid domain name",
    "Invalid email",
    "Local address",
    "Missing final",
    "Missing local name",
)
"""How its words begin where the recipient's address is at fault; most are those of JavaMail."""
NOT_IN_TAGS = re.compile(r"[^A-Za-z0-9_.@-]")


class Text(Struct, frozen=True, rename="pascal"):
    """A text and its encoding."""

    data: str
    charset: str = "UTF-8"


class Body(Struct, frozen=True, rename="pascal", omit_defaults=True):
    """The parts of a mail."""

    text: Text
    html: Text | None = None


class Header(Struct, frozen=True, rename="pascal"):
    """A header, or a tag."""

    name: str
    value: str


class Simple(Struct, frozen=True, rename="pascal", omit_defaults=True):
    """A mail that SES puts together."""

    subject: Text
    body: Body
    headers: tuple[Header, ...] = ()


class Content(Struct, frozen=True, rename="pascal"):
    """What is sent."""

    simple: Simple


class Destination(Struct, frozen=True, rename="pascal"):
    """To whom."""

    to_addresses: tuple[str, ...]


class Mail(Struct, frozen=True, rename="pascal", omit_defaults=True):
    """The body of a request."""

    from_email_address: str
    destination: Destination
    content: Content
    email_tags: tuple[Header, ...]
    configuration_set_name: str = ""
    reply_to_addresses: tuple[str, ...] = ()


class Accepted(Struct, frozen=True, rename="pascal"):
    """SES's reply to a mail that it took."""

    message_id: str


class Error(Struct, frozen=True):
    """The body of a reply that is no success."""

    message: str = ""


class Ses(SingleMessageProvider):
    """Sends mail for one account and region from one sender."""

    name = "ses"
    channel = Channel.EMAIL
    scheme = BARE

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        default = f"https://email.{settings.aws_region}.amazonaws.com"
        self._url = f"{(settings.ses_url or default).rstrip('/')}{PATH}"
        self._signer = AwsSigner(settings, "ses")
        self._senders = Senders(settings)
        self._configuration_set = settings.ses_configuration_set
        self._way_back = ReturnPath(settings)
        self._http = http
        self._encoder = msgspec.json.Encoder()

    def linger(self, priority: Priority) -> float:
        """Nothing to wait for: a call carries one mail."""
        return 0.0

    async def check(self) -> None:
        """Raise Misconfigured for a missing account, region or sender; makes no call."""
        require_url("TOCSIN_SES_URL", self._url)
        self._signer.check()
        self._senders.check()

    async def send_one(self, delivery: Delivery) -> Outcome:
        """The call for one delivery; see Provider.send."""
        body = self._encoder.encode(self.mail_of(delivery))
        headers = self._signer.headers(self._url, body, {"Content-Type": "application/json"})
        reply = await self._http.post(self._url, body, headers)
        outcome = reply if isinstance(reply, TransientFailure) else outcome_of(reply)
        return as_own(outcome, delivery)

    def mail_of(self, delivery: Delivery) -> Mail:
        """The mail for a delivery."""
        content = delivery.content
        kind = NOT_IN_TAGS.sub("_", delivery.type)[:MOST_TAG]
        marks = self._way_back.marks(delivery, MOST_TAG) | {"type": kind}
        sender = self._senders.of(delivery)
        return Mail(
            from_email_address=sender.line,
            destination=Destination((delivery.address,)),
            content=Content(
                Simple(
                    subject=Text(content.title),
                    body=Body(Text(content.body), Text(content.html) if content.html else None),
                    headers=tuple(
                        Header(*header) for header in self._way_back.headers(delivery).items()
                    ),
                )
            ),
            email_tags=tuple(Header(*mark) for mark in marks.items()),
            configuration_set_name=self._configuration_set,
            reply_to_addresses=(sender.reply_to,) if sender.reply_to else (),
        )


def outcome_of(reply: Reply) -> Outcome:
    """What SES's reply means."""
    try:
        if reply.status == 200:
            return Sent(read_foreign(reply.body, Accepted).message_id)
        message = read_foreign(reply.body, Error).message
    except UNDECODABLE:
        return failure_of(reply, None)
    kind = (reply.header("x-amzn-errortype") or "").partition(":")[0]
    if not kind:
        return failure_of(reply, None)  # another server: SES always says what kind it is
    said = f"{kind}: {message}"
    if kind in CONFIGURATION_ERRORS or "not verified" in message:
        # One wrong setting refuses everybody's mail: it waits until that is put right.
        return TransientFailure(Reason.UNAUTHORIZED, said)
    elif reply.status == 400 and message.startswith(BAD_ADDRESS):
        return PermanentFailure(Reason.INVALID_ADDRESS, said)
    return failure_of(reply, said)
