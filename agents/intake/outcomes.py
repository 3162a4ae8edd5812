"""What became of notifications, told to a company's other services."""

from pipeline.producing.outputs import Outputs, partition_of
from policy.outcome_events import outcome_of
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.topics import OUTCOMES


def add_outcome(outputs: Outputs, event: DeliveryEvent, prefix: str, partitions: int) -> None:
    """Have the outputs tell of an event, if it is an outcome, under the user's key.

    What is told of a user keeps the order of the delivery events; read again after a crash, it has
    the same ids.
    """
    outcome = outcome_of(event, prefix)
    if outcome is not None:
        place = partition_of(event.user, partitions)
        outputs.add(OUTCOMES, place, event.user.encode(), encode(outcome))
