"""What came back goes to Kafka: to analysts, to what waits for it, and to the next decision."""

import logging
from collections.abc import Sequence

from pipeline.outputs import Log, Outputs, partition_of
from pipeline.settings import Settings
from pipeline.topics import DELIVERY_EVENTS, FEEDBACK, STOPS, SUBSCRIPTIONS, SUPPRESSIONS
from policy.instants import moment
from policy.report import Kind, Report, feedback_of, subscription_of, suppression_of, told
from schemas.encoding import encode
from schemas.suppression import Stop
from web.patience import in_time
from web.tickets import Tickets

log = logging.getLogger(__name__)


class BackChannel:
    """Writes reports to the topics that they concern.

    The same report written again changes nothing that anyone can see, so a provider that did not
    hear our answer may send it again.
    """

    def __init__(self, producer: Log, settings: Settings, tickets: Tickets) -> None:
        self._producer = producer
        self._tickets = tickets
        self._partitions = settings.partitions
        self._bounce_days = settings.bounce_days

    async def take(self, reports: Sequence[Report], provider: str) -> int:
        """Write all of them; on return the broker has them. How many were of messages of ours.

        Raises Unavailable; then it must not be assumed that none was written.
        """
        outputs = Outputs(self._producer)
        taken = 0
        for report in reports:
            taken += await self._add(report, provider, outputs)
        await in_time(outputs.flush())
        if taken < len(reports):
            log.info("%s: %d reports are of no message of ours", provider, len(reports) - taken)
        return taken

    async def _add(self, report: Report, provider: str, outputs: Outputs) -> bool:
        if report.kind in (Kind.STOP, Kind.START):
            said = Stop(
                phone=report.address, at=moment(report.at), stopped=report.kind is Kind.STOP
            )
            for partition in range(self._partitions):
                outputs.add(STOPS, partition, report.address.encode(), encode(said))
            return True
        if report.reference:
            ticket = await self._tickets.referred(report.reference)
        else:
            ticket = await self._tickets.find(report.ticket)
        if ticket is None:
            return False
        here, key = partition_of(ticket.user, self._partitions), ticket.user.encode()
        event = told(ticket, report, provider)
        if event is not None:
            outputs.add(DELIVERY_EVENTS, here, None, encode(event))
        for topic, value in (
            (FEEDBACK, feedback_of(ticket, report)),
            (SUPPRESSIONS, suppression_of(ticket, report, self._bounce_days)),
            (SUBSCRIPTIONS, subscription_of(ticket, report)),
        ):
            if value is not None:
                outputs.add(topic, here, key, encode(value))
        return True
