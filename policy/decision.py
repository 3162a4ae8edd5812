"""What `decide` answers."""

from msgspec import Struct

from policy.user import Ledger
from schemas.delivery import Delivery
from schemas.vocabulary import Channel, Reason


class Suppressed(Struct, frozen=True):
    """Not sent, and why; a `channel` of None speaks of the whole notification."""

    channel: Channel | None
    reason: Reason
    detail: str = ""


class Decision(Struct, frozen=True):
    """Every outcome for one user: what to send, what not, and the ledger to store afterwards.

    `replay` means that this very record was decided on before and its outputs are known to be
    out: nothing is to be written, and the ledger is the old one. The ledger is the old object,
    not an equal one, whenever there is nothing new to store.
    """

    notification_id: str
    deliveries: tuple[Delivery, ...]
    suppressed: tuple[Suppressed, ...]
    ledger: Ledger
    replay: bool = False
