"""What is decided: what to send, what not and why not, what to keep for later."""

from msgspec import Struct

from policy.dedupe import Spilled
from policy.limits.daily_limit import Allowance
from policy.user.ledger import Held, Ledger
from policy.user.state import Quota
from schemas.delivery import Delivery
from schemas.request import Request
from schemas.vocabulary import Channel, Reason, Stage


class Outcome(Struct, frozen=True, gc=False):
    """Not sent now, and why; a `channel` of None speaks of the whole notification. What is digested
    names its digest."""

    channel: Channel | None
    reason: Reason
    detail: str = ""
    stage: Stage = Stage.SUPPRESSED
    digest: str = ""


class Notice(Struct, frozen=True):
    """An outcome of another notification than the decision's own, such as one in a digest."""

    request: Request
    notification_id: str
    outcome: Outcome


Row = tuple[str, ...]
"""Names a held request of a user: what it waits as; within a digest, its place in there too."""


class Decision(Struct, frozen=True, gc=False):
    """Every outcome for one user, and the ledger to store afterwards.

    `keep` are held requests to store, `release` those to forget. `replay` means that this very
    record was decided on before and its outputs are known to be out: nothing is to be written.
    The ledger is the old object, not an equal one, whenever there is nothing new to store. A digest
    has the moment that it was `due_at` (epoch ms): its clock starts then. `spilled` are marks to be
    kept for which the ledger has no room.
    """

    notification_id: str
    deliveries: tuple[Delivery, ...]
    outcomes: tuple[Outcome, ...]
    ledger: Ledger
    replay: bool = False
    notices: tuple[Notice, ...] = ()
    keep: tuple[tuple[Row, Held], ...] = ()
    release: tuple[Row, ...] = ()
    quota: Quota | None = None
    due_at: int = 0
    allowance: Allowance | None = None
    spilled: tuple[Spilled, ...] = ()
