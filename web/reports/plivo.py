"""Plivo's delivery reports and incoming messages, signed over the URL and a nonce."""

from collections import OrderedDict
from collections.abc import Sequence

from plivo.utils import validate_signature
from plivo.utils.signature_v3 import validate_v3_signature

from pipeline.settings import Settings
from policy.tracking.provider_report import Report
from schemas.vocabulary import Channel
from web.reports.incoming import BadSignature, Incoming, first
from web.reports.texts import answer_report, status_report

# https://www.plivo.com/docs/messaging/troubleshooting/error-codes
GONE = frozenset({"50", "70"})
"""An invalid number, and one that is unavailable for good; 40 is our own, 80 passes."""


SIGNED_IN = (
    "X-Plivo-Signature-V2",
    "X-Plivo-Signature-V2-Nonce",
    "X-Plivo-Signature-V3",
    "X-Plivo-Signature-V3-Nonce",
)


MOST_NONCES = 100_000
"""Of signatures that were used; of more, the oldest are forgotten."""


class PlivoReports:
    """What Plivo reports on texts.

    It signs no time, and by its second signature no field: so each signature counts once, as far as
    this process knows.
    """

    name = "plivo"
    channel = Channel.SMS

    def __init__(self, settings: Settings) -> None:
        self._token = settings.plivo_auth_token
        self._used: OrderedDict[str, None] = OrderedDict()

    @property
    def is_set_up(self) -> bool:
        """Whether the account's token is known."""
        return bool(self._token.get_secret_value())

    async def verify(self, incoming: Incoming, now: int) -> None:
        """Check whichever of Plivo's two signatures is there; raises BadSignature or Malformed."""
        headers, token = incoming.headers, self._token.get_secret_value()
        if not all(first(headers, name).isascii() for name in SIGNED_IN):
            raise BadSignature("the signature is none")
        third = first(headers, "X-Plivo-Signature-V3")
        if third:
            nonce = first(headers, "X-Plivo-Signature-V3-Nonce")
            is_ours = validate_v3_signature(
                incoming.method, incoming.url, nonce, token, third, incoming.fields()
            )
        else:
            nonce = first(headers, "X-Plivo-Signature-V2-Nonce")
            second = first(headers, "X-Plivo-Signature-V2")
            is_ours = bool(second and nonce) and validate_signature(
                incoming.url, nonce, second, token
            )
        if not is_ours:
            raise BadSignature("invalid signature")
        if nonce in self._used:
            raise BadSignature("its nonce was used before")
        self._used[nonce] = None
        if len(self._used) > MOST_NONCES:
            self._used.popitem(last=False)

    def release(self, incoming: Incoming) -> None:
        """Let the nonce count again."""
        third = first(incoming.headers, "X-Plivo-Signature-V3")
        name = f"X-Plivo-Signature-{'V3' if third else 'V2'}-Nonce"
        self._used.pop(first(incoming.headers, name), None)

    def parse(self, incoming: Incoming, now: int) -> Sequence[Report]:
        """A status, or what somebody answered."""
        fields = incoming.form()
        status, code = first(fields, "Status"), first(fields, "ErrorCode")
        if status:
            hard = code in GONE
            # https://www.plivo.com/docs/messaging/api/message/message-status-callbacks
            network = first(fields, "MCC") + first(fields, "MNC")
            return status_report(
                status, now, incoming.ticket, detail=code, hard=hard, network=network
            )
        return answer_report(first(fields, "Text"), first(fields, "From"), now)
