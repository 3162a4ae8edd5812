"""What came back goes to Kafka: to analysts, to what waits for it, and to the next decision."""

import logging
from collections.abc import Sequence

from pipeline.catalogue_folder import Catalogues
from pipeline.clock import Clock, SystemClock
from pipeline.producing.outputs import Log, Outputs, partition_of
from pipeline.settings import Settings
from pipeline.tracing.export import is_tracing
from policy.time.timestamps import moment
from policy.tracking.provider_report import (
    Kind,
    Report,
    feedback_of,
    receipt_of,
    subscription_of,
    suppression_of,
    told,
)
from policy.tracking.ticket import Purpose, Ticket, is_over
from schemas.encoding import encode
from schemas.feedback import Receipt, Stop
from schemas.kinds import encode_in
from schemas.topics import (
    DELIVERY_EVENTS,
    FEEDBACK,
    SUPPRESSIONS,
)
from web.tickets import Tickets
from web.workers.ack_timeout import in_time
from web.workers.report_span import emit_report

log = logging.getLogger(__name__)
SYSTEM_CLOCK = SystemClock()


class BackChannel:
    """Writes reports to the topics that they concern.

    The same report written again changes nothing that anyone can see, so a provider that did not
    hear our answer may send it again.
    """

    def __init__(
        self,
        producer: Log,
        settings: Settings,
        tickets: Tickets,
        catalogues: Catalogues,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._producer = producer
        self._tickets = tickets
        self._catalogues = catalogues
        self._clock = clock
        self._partitions = settings.partitions
        self._bounce_days = settings.bounce_days

    async def note(self, ticket: Ticket, report: Report, source: str) -> None:
        """Write what was done with a message; on return the broker has it. Raises Unavailable."""
        outputs = Outputs(self._producer)
        self._add(ticket, report, source, outputs)
        await in_time(outputs.flush())

    async def take(self, reports: Sequence[Report], provider: str) -> int:
        """Write all of a provider's; on return the broker has them. How many were of messages of
        ours, and not of such as are long past.

        Raises Unavailable; then it must not be assumed that none was written.
        """
        outputs = Outputs(self._producer)
        taken = 0
        for report in reports:
            if report.kind in (Kind.STOP, Kind.START):
                self._add_stop(report, outputs)
                taken += 1
                continue
            ticket = await self._ticket_of(report)
            if ticket is not None and not is_over(ticket, report.at):
                self._add(ticket, report, provider, outputs)
                taken += 1
        await in_time(outputs.flush())
        if taken < len(reports):
            log.info("%s: %d reports are of no message of ours", provider, len(reports) - taken)
        return taken

    async def _ticket_of(self, report: Report) -> Ticket | None:
        if report.ticket and (found := await self._tickets.find(report.ticket, Purpose.REPORT)):
            return found
        if not report.reference:
            return None
        return await self._tickets.referred(report.reference, report.channel)

    def _add_stop(self, report: Report, outputs: Outputs) -> None:
        said = Stop(phone=report.address, at=moment(report.at), stopped=report.kind is Kind.STOP)
        for partition in range(self._partitions):
            value = encode_in(SUPPRESSIONS.name, said)
            outputs.add(SUPPRESSIONS, partition, report.address.encode(), value)

    def _add(self, ticket: Ticket, report: Report, source: str, outputs: Outputs) -> None:
        here, key = partition_of(ticket.user, self._partitions), ticket.user.encode()
        if is_tracing():
            emit_report(ticket, report, source, self._clock.now())
        event = told(ticket, report, source)
        if event is not None:
            outputs.add(DELIVERY_EVENTS, here, None, encode(event))
        for topic, value in (
            (FEEDBACK, feedback_of(ticket, report)),
            (SUPPRESSIONS, self._receipt_of(ticket, report)),
            (SUPPRESSIONS, suppression_of(ticket, report, self._bounce_days)),
            (SUPPRESSIONS, subscription_of(ticket, report)),
        ):
            if value is not None:
                outputs.add(topic, here, key, encode_in(topic.name, value))

    def _receipt_of(self, ticket: Ticket, report: Report) -> Receipt | None:
        # Nearly every message is delivered, and few types ask whether theirs are.
        spec = self._catalogues.current.types.get(ticket.type)
        if spec is None or not spec.waits_for_receipts:
            return None
        return receipt_of(ticket, report)
