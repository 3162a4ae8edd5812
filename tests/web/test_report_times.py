"""When what is reported happened: as the report says, unless that can't be."""

import pytest
from aiohttp import web

from pipeline.catalogue_folder import FixedCatalogue
from policy.tracking.ticket import Purpose, issue_ticket
from schemas.topics import DELIVERY_EVENTS, SUPPRESSIONS
from tests.policy.samples import shipped_catalogue
from tests.sinks.rig import delivery
from tests.sinks.set_clock import SetClock
from tests.sinks.test_postmark import POSTMARK
from tests.web.caller import KEY, calling, memory, tickets
from tests.web.signing import SETTINGS, URL, postmark
from web.reports.postmark import PostmarkReports
from web.webhooks import Webhooks
from web.workers.report_writer import BackChannel

AT, SHOWN = 1_753_000_000_000, "2025-07-20T08:26:40Z"
BEFORE = "2025-07-20T08:00:00Z"
CATALOGUES = FixedCatalogue(shipped_catalogue())
OURS = SETTINGS.model_copy(
    update={"signing_key": type(SETTINGS.signing_key)(KEY.decode()), "partitions": 1}
)


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        (BEFORE, BEFORE),
        ("0001-01-01T00:00:00Z", SHOWN),
        ("9999-12-31T23:59:59Z", SHOWN),
        ("", SHOWN),
        (None, SHOWN),
    ],
)
async def test_a_bounce_bars_the_address_from_then_on(said: str | None, stored: str) -> None:
    topics, clock = memory(), SetClock()
    clock.time = AT
    mail = delivery(POSTMARK, 7, tenant="acme", accepted_at=AT - 86_400_000)
    ticket = issue_ticket(mail, Purpose.REPORT, KEY)
    back = BackChannel(topics, OURS, tickets(OURS), CATALOGUES)
    app = web.Application()
    app.add_routes(Webhooks([PostmarkReports(OURS)], back, URL, clock).routes())
    values = {
        "RecordType": "Bounce",
        "Type": "HardBounce",
        "Email": mail.address,
        "Metadata": {"ticket0": ticket[:80], "ticket1": ticket[80:]},
        "BouncedAt": said,
    }
    incoming = postmark(values, AT, "")
    async with calling(app) as caller:
        answer = await caller.post(
            "/webhooks/postmark", data=incoming.body, headers=dict(incoming.headers)
        )
    assert answer.status == 200
    (barred,) = topics.said(SUPPRESSIONS)
    assert (barred["user"], barred["at"]) == ("user-7", stored)
    (event,) = topics.said(DELIVERY_EVENTS)
    assert event["stage"] == "bounced"
