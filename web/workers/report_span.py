"""The span of what came back of a message, from its provider or its reader."""

from pipeline.tracing.export import emit
from pipeline.tracing.span import SERVER, Span
from policy.time.timestamps import timestamp
from policy.tracking.provider_report import Report
from policy.tracking.ticket import Ticket


def emit_report(ticket: Ticket, report: Report, source: str, now: int) -> None:
    """Emit that it came in at `now` (epoch ms), in the trace of its message; nothing for one that
    isn't traced.

    It stands below the decision, which is what the message bears. The same report again is the
    same span.
    """
    parent = ticket.context
    if parent is None:
        return
    delivery = ticket.delivery_id.hex()
    context = parent.child("report", delivery, source, report.kind, str(report.at))
    attributes = {
        "tocsin.provider": source,
        "tocsin.report": str(report.kind),
        "tocsin.reported_at": timestamp(report.at),
        "tocsin.channel": str(ticket.channel),
        "tocsin.notification_id": ticket.notification_id.hex(),
        "tocsin.delivery_id": delivery,
    }
    emit(Span("report", SERVER, context, parent, now, now, attributes))
