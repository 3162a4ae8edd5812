"""What is reported on mail, event by event.

SendGrid: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event. Mailgun:
https://documentation.mailgun.com/docs/mailgun/user-manual/events/. Postmark:
https://postmarkapp.com/developer/webhooks/webhooks-overview, types of bounces
https://postmarkapp.com/developer/api/bounce-api#bounce-types. SES is in `test_ses.py`.
"""

from typing import Any

import msgspec
import pytest

from pipeline.monitoring.metrics import UNREADABLE_EVENTS
from policy.tracking.provider_report import Kind, Report
from tests.web.signing import SCHEMES, SETTINGS
from web.reports.incoming import Incoming, Malformed, joined

NOW = 1_795_000_000_000
SECONDS = 1_794_999_999
AT = 1_794_999_999_000
ISO = "2026-11-18T11:06:39Z"  # is SECONDS
TICKET = "a-ticket"
ANN = "ann@example.com"
ROBOT = "Mozilla/5.0"  # as Apple's proxy says, which fetches whatever arrives
PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def parsed(provider: str, values: Any) -> list[Report]:
    incoming = Incoming(
        method="POST", url="", headers={}, body=msgspec.json.encode(values)
    )  # fmt: skip
    return list(SCHEMES[provider].reporter(SETTINGS).parse(incoming, NOW))


def report(kind: Kind, **fields: Any) -> Report:
    return Report(**{"kind": kind, "at": AT, "ticket": TICKET, "address": ANN, **fields})


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("delivered", Kind.DELIVERED),
        ("bounce", Kind.BOUNCED),
        ("dropped", Kind.FAILED),
        ("open", Kind.OPENED),
        ("click", Kind.CLICKED),
        ("spamreport", Kind.COMPLAINED),
        ("unsubscribe", Kind.UNSUBSCRIBED),
        ("group_unsubscribe", Kind.UNSUBSCRIBED),
        ("group_resubscribe", Kind.RESUBSCRIBED),
    ],
)
@pytest.mark.parametrize(("blocked", "machine"), [(False, False), (True, False), (False, True)])
def test_sendgrids_events(event: str, kind: Kind, blocked: bool, machine: bool) -> None:
    values = {
        "event": event,
        "timestamp": SECONDS,
        "email": ANN,
        "ticket": TICKET,
        "reason": "550 no such user",
        "type": "blocked" if blocked else "bounce",
        "sg_machine_open": machine,
        "sg_event_id": "unknown to us",
    }
    expected = report(kind, detail="550 no such user", hard=not blocked, machine=machine)
    assert parsed("sendgrid", [values]) == [expected]
    bare = {"event": event, "timestamp": SECONDS}
    assert parsed("sendgrid", [bare]) == [report(kind, ticket="", address="", hard=True)]


def test_a_batch_of_sendgrids_is_told_in_order_without_what_is_on_its_way() -> None:
    events = ["processed", "delivered", "deferred", "open", "unknown", "click"]
    values = [
        {"event": event, "timestamp": SECONDS + n, "email": f"{n}@example.com", "ticket": str(n)}
        for n, event in enumerate(events)
    ]
    assert [(r.kind, r.at, r.address, r.ticket) for r in parsed("sendgrid", values)] == [
        (Kind.DELIVERED, AT + 1000, "1@example.com", "1"),
        (Kind.OPENED, AT + 3000, "3@example.com", "3"),
        (Kind.CLICKED, AT + 5000, "5@example.com", "5"),
    ]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("delivered", Kind.DELIVERED),
        ("failed", Kind.BOUNCED),
        ("rejected", Kind.FAILED),
        ("opened", Kind.OPENED),
        ("clicked", Kind.CLICKED),
        ("complained", Kind.COMPLAINED),
        ("unsubscribed", Kind.UNSUBSCRIBED),
        ("accepted", None),
        ("stored", None),
        ("unknown", None),
    ],
)
@pytest.mark.parametrize("severity", ["permanent", "temporary", ""])
@pytest.mark.parametrize(
    ("said", "detail"),
    [
        ({"message": "mailbox full", "description": "try later"}, "try later"),
        ({"message": "mailbox full", "description": ""}, "mailbox full"),
        ({}, ""),
    ],
)
@pytest.mark.parametrize(("bot", "machine"), [("apple", True), ("gmail", False), ("", False)])
def test_mailguns_events(
    event: str, kind: Kind | None, severity: str, said: Any, detail: str, bot: str, machine: bool
) -> None:
    values = {
        "event": event,
        "timestamp": SECONDS + 0.0004,
        "recipient": ANN,
        "severity": severity,
        "user-variables": {"ticket": TICKET},
        "client-info": {"bot": bot},
        "delivery-status": {"code": 550, **said},
    }
    signed = {"signature": {"timestamp": "1", "token": "t", "signature": "s"}}
    hard = severity == "permanent"
    expected = [] if kind is None else [report(kind, detail=detail, hard=hard, machine=machine)]
    assert parsed("mailgun", {**signed, "event-data": values}) == expected


def test_mailguns_event_with_no_more_than_it_must_have() -> None:
    signed = {"signature": {"timestamp": "1", "token": "t", "signature": "s"}}
    values = {"event": "delivered", "timestamp": SECONDS + 0.9996}
    expected = Report(kind=Kind.DELIVERED, at=AT + 1000)
    assert parsed("mailgun", {**signed, "event-data": values}) == [expected]


@pytest.mark.parametrize(
    ("kind", "expected", "time"),
    [
        ("Delivery", Kind.DELIVERED, "DeliveredAt"),
        ("Bounce", Kind.BOUNCED, "BouncedAt"),
        ("SpamComplaint", Kind.COMPLAINED, "BouncedAt"),
        ("Open", Kind.OPENED, "ReceivedAt"),
        ("Click", Kind.CLICKED, "ReceivedAt"),
        ("Inbound", None, "ReceivedAt"),
    ],
)
@pytest.mark.parametrize(
    ("agent", "machine"), [(None, False), (PERSON, False), (ROBOT, True), ("", True)]
)
def test_postmarks_records(
    kind: str, expected: Kind | None, time: str, agent: str | None, machine: bool
) -> None:
    values = {
        "RecordType": kind,
        "Recipient": ANN,
        "Metadata": {"ticket0": "a-ti", "ticket1": "cket"},
        "Description": "why",
        "UserAgent": agent,
        time: ISO,
    }
    found = parsed("postmark", values)
    assert found == ([] if expected is None else [report(expected, detail="why", machine=machine)])


@pytest.mark.parametrize(
    ("kind", "hard"),
    [
        ("HardBounce", True),
        ("BadEmailAddress", True),
        ("ManuallyDeactivated", True),
        *((kind, False) for kind in ("Transient", "SoftBounce", "DnsError", "Blocked")),
        *(
            (kind, False)
            for kind in ("AutoResponder", "AddressChange", "Subscribe", "SMTPApiError")
        ),
        *((kind, False) for kind in ("ChallengeVerification", "Unknown", "VirusNotification", "")),
    ],
)
def test_which_of_postmarks_bounces_bar_an_address(kind: str, hard: bool) -> None:
    values = {"RecordType": "Bounce", "Type": kind, "Email": ANN, "BouncedAt": ISO}
    assert parsed("postmark", values) == [report(Kind.BOUNCED, ticket="", hard=hard)]


OF_POSTMARKS_PAGE = {
    "RecordType": "SubscriptionChange",
    "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
    "ServerID": 123456,
    "MessageStream": "outbound",
    "ChangedAt": "2020-02-01T10:53:34.416071Z",
    "Recipient": "bounced-address@wildbit.com",
    "Origin": "Recipient",
    "SuppressSending": True,
    "SuppressionReason": "HardBounce",
    "Tag": "my-tag",
    "Metadata": {"ticket": TICKET},
}
"""The example of https://postmarkapp.com/developer/webhooks/subscription-change-webhook."""


@pytest.mark.parametrize(
    ("change", "is_opt_out"),
    [
        ({"SuppressionReason": "ManualSuppression"}, True),
        # These have records of their own, and their own consequences.
        ({}, False),
        ({"SuppressionReason": "SpamComplaint"}, False),
        # What an operator does with the list; no message is named.
        ({"SuppressionReason": "ManualSuppression", "Origin": "Customer"}, False),
        ({"SuppressionReason": "ManualSuppression", "Origin": "Admin"}, False),
        # To be taken off the list undoes nobody's click.
        ({"SuppressSending": False, "SuppressionReason": None, "Origin": "Customer"}, False),
        ({"SuppressSending": False, "SuppressionReason": None}, False),
        ({"SuppressSending": None, "SuppressionReason": "ManualSuppression"}, False),
    ],
)
def test_a_change_of_postmarks_list_is_an_opt_out_if_the_recipient_made_it(
    change: dict[str, Any], is_opt_out: bool
) -> None:
    found = parsed("postmark", {**OF_POSTMARKS_PAGE, **change})
    assert [(each.kind, each.ticket, each.address) for each in found] == [
        (Kind.UNSUBSCRIBED, TICKET, "bounced-address@wildbit.com")
    ] * is_opt_out


def test_what_postmark_has_nothing_to_say_of_is_null() -> None:
    nothing = dict.fromkeys(("Recipient", "Email", "Metadata", "Type", "Description"))
    bare = {"RecordType": "Delivery", "DeliveredAt": ISO, **nothing}
    assert parsed("postmark", bare) == [report(Kind.DELIVERED, ticket="", address="")]


@pytest.mark.parametrize(
    ("who", "address"),
    [({}, ""), ({"Email": ANN}, ANN), ({"Recipient": ANN}, ANN), ({"Recipient": ""}, "")],
)
def test_whom_postmark_names(who: dict[str, str], address: str) -> None:
    found = parsed("postmark", {"RecordType": "Open", "ReceivedAt": ISO, **who})
    assert found == [report(Kind.OPENED, ticket="", address=address)]


@pytest.mark.parametrize(
    "time", [{}, {"DeliveredAt": None}, {"DeliveredAt": "2026-11-18T11:06:39"}]
)
def test_what_has_no_time_of_its_own_happened_now(time: dict[str, str | None]) -> None:
    values = {"RecordType": "Delivery", "Recipient": ANN, **time}
    assert parsed("postmark", values) == [report(Kind.DELIVERED, at=NOW, ticket="")]


@pytest.mark.parametrize(
    ("parts", "ticket"),
    [
        ({}, ""),
        ({"ticket": "whole"}, "whole"),
        ({"ticket": "whole", "ticket0": "piece"}, "whole"),
        ({"ticket": ""}, ""),
        ({"ticket0": "a", "ticket1": "b", "ticket2": "c"}, "abc"),
        ({"ticket1": "b"}, ""),
        ({"ticket0": "a", "ticket2": "c"}, "a"),
        ({"ticket": ["in a list"]}, "in a list"),
        ({"ticket": [], "ticket0": ["a"], "ticket1": ["b", "x"]}, "ab"),
        ({"ticket": 7}, ""),
        ({"ticket": [7], "ticket0": None}, ""),
    ],
)
def test_a_ticket_is_put_together(parts: dict[str, Any], ticket: str) -> None:
    assert joined(parts) == ticket


def test_a_field_has_a_first_value_and_at_most_two_hundred_may_come() -> None:
    def form(body: bytes) -> Incoming:
        return Incoming(
            method="POST", url="https://n/x?b=1&ticket=t&ticket=u", headers={}, body=body
        )

    assert form(b"a=1&a=2&b=").form() == {"a": "1", "b": ""}
    assert form(b"a=1&a=2&b=").fields() == {"a": ["1", "2"], "b": [""]}
    assert len(form(b"&".join(b"f%d=1" % n for n in range(200))).fields()) == 200
    for body in (b"&".join(b"f%d=1" % n for n in range(201)), b"\xff", b"a=%ff"):
        with pytest.raises(Malformed, match="Error"):
            form(body).form()
    assert form(b"").ticket == "t"
    assert Incoming(method="POST", url="https://n/x", headers={}, body=b"").ticket == ""


@pytest.mark.parametrize(
    "other",
    [
        {"event": None, "timestamp": SECONDS, "ticket": 4711},
        {"timestamp": SECONDS, "type": 7},
        [],
        "no event",
        None,
    ],
)
def test_one_odd_event_in_a_batch_of_sendgrids_costs_no_other(
    other: object, caplog: pytest.LogCaptureFixture
) -> None:
    bounce = {
        "event": "bounce",
        "timestamp": SECONDS,
        "email": ANN,
        "ticket": TICKET,
        "type": "bounce",
        "reason": "550 5.1.1",
    }
    skipped = UNREADABLE_EVENTS.labels("sendgrid")
    before = skipped._value.get()
    found = parsed("sendgrid", [bounce, other, bounce])
    assert found == [report(Kind.BOUNCED, hard=True, detail="550 5.1.1")] * 2
    assert skipped._value.get() == before + 1
    assert "is skipped" in caplog.text
    assert "4711" not in caplog.text


SUPPRESSED = ["suppress-bounce", "suppress-complaint", "suppress-unsubscribe"]


def mailgun(**fields: Any) -> list[Report]:
    event = {
        "timestamp": float(SECONDS),
        "recipient": ANN,
        "user-variables": {"ticket": TICKET},
        **fields,
    }
    signature = {"timestamp": "1", "token": "t", "signature": "s"}
    return parsed("mailgun", {"signature": signature, "event-data": event})


@pytest.mark.parametrize(
    "reason", ["suppress-unsubscribe", "suppress-complaint", "suppress-bounce"]
)
def test_what_mailgun_did_not_even_try_is_no_bounce(reason: str) -> None:
    """Its own list had the address; description as in its event "failed" with code 605."""
    status = {"code": 605, "message": "", "description": "Not delivering to unsubscribed address"}
    told = mailgun(
        event="failed", severity="permanent", reason=reason, **{"delivery-status": status}
    )
    assert told == [report(Kind.FAILED, detail="Not delivering to unsubscribed address")]


def test_what_mailgun_has_nothing_to_say_of_is_null() -> None:
    nothing = {"delivery-status": None, "client-info": None, "severity": None, "reason": None}
    assert mailgun(event="delivered", **nothing) == [report(Kind.DELIVERED)]
    assert mailgun(event="accepted", **nothing) == []
    said = {"message": None, "description": None}
    assert mailgun(event="delivered", **{"delivery-status": said}) == [report(Kind.DELIVERED)]
    lost = mailgun(event="delivered", recipient=None, **{"user-variables": None})
    assert lost == [report(Kind.DELIVERED, ticket="", address="")]


def resend(kind: str, **data: Any) -> Report:
    """Events are as in https://resend.com/docs/dashboard/webhooks/event-types."""
    values = {"email_id": "e", "to": [ANN], "subject": "x", "tags": {"ticket": TICKET}, **data}
    (found,) = parsed("resend", {"type": f"email.{kind}", "created_at": ISO, "data": values})
    return found


def test_resends_events() -> None:
    bounce = {"message": "mailbox not found", "subType": "General", "type": "Permanent"}
    assert resend("bounced", bounce=bounce) == report(
        Kind.BOUNCED, detail="mailbox not found", hard=True
    )
    full = {"message": "full", "subType": "MailboxFull", "type": "Transient"}
    assert resend("bounced", bounce=full) == report(Kind.BOUNCED, detail="full")
    assert resend("delivered") == report(Kind.DELIVERED)
    assert resend("complained") == report(Kind.COMPLAINED)
    assert resend("failed", failed={"reason": "reached_daily_quota"}) == report(
        Kind.FAILED, detail="reached_daily_quota"
    )
    # Resend's own list has the address, so no server was asked.
    listed = {"message": "on the suppression list", "type": "OnAccountSuppressionList"}
    assert resend("suppressed", suppressed=listed) == report(
        Kind.FAILED, detail="on the suppression list"
    )
    click = {"ipAddress": "1", "link": "https://x", "timestamp": ISO, "userAgent": PERSON}
    assert resend("clicked", click=click) == report(Kind.CLICKED)
    assert resend("opened", open={"userAgent": ROBOT}) == report(Kind.OPENED, machine=True)
    assert resend("opened") == report(Kind.OPENED)


@pytest.mark.parametrize(
    ("tags", "ticket"),
    [
        ({"ticket": TICKET}, TICKET),
        ([{"name": "ticket", "value": TICKET}, {"name": "x", "value": "y"}], TICKET),
        ({"ticket0": "a-", "ticket1": "ticket"}, TICKET),
        ([], ""),
        (None, ""),
        ([{"name": "ticket"}, {}], ""),
    ],
)
def test_resends_tags_are_a_table_or_a_list(tags: Any, ticket: str) -> None:
    assert resend("delivered", tags=tags) == report(Kind.DELIVERED, ticket=ticket)


def test_resends_event_with_no_more_than_it_must_have() -> None:
    values = {"type": "email.delivered", "created_at": "2026-11-18T11:06:39", "data": {}}
    assert parsed("resend", values) == [Report(kind=Kind.DELIVERED, at=NOW)]
