"""What SES reports on mail by notifications of SNS, event by event.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html.
"""

from typing import Any

import msgspec
import pytest

from policy.tracking.provider_report import Kind, Report
from tests.web.reports.test_mail import ANN, ISO, NOW, PERSON, ROBOT, TICKET, parsed, report


def envelope(event: Any, kind: str = "Notification") -> dict[str, Any]:
    return {
        "Type": kind,
        "Message": msgspec.json.encode(event).decode(),
        "TopicArn": "arn",
        "Signature": "",
    }


def ses(kind: str, happening: dict[str, Any], **mail: Any) -> list[Report]:
    said = {"destination": [ANN], "tags": {"ticket": [TICKET]}, **mail}
    return parsed("ses", envelope({"eventType": kind, "mail": said, kind.lower(): happening}))


SES = {
    "Delivery": Kind.DELIVERED,
    "Bounce": Kind.BOUNCED,
    "Complaint": Kind.COMPLAINED,
    "Open": Kind.OPENED,
    "Click": Kind.CLICKED,
    "Reject": Kind.FAILED,
    "Subscription": Kind.UNSUBSCRIBED,
}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        *SES.items(),
        ("Send", None),
        ("DeliveryDelay", None),
        ("Rendering Failure", None),
    ],
)
def test_sess_events(kind: str, expected: Kind | None) -> None:
    found = ses(kind, {"timestamp": ISO, "reason": "Bad content"})
    assert found == ([] if expected is None else [report(expected, detail="Bad content")])


@pytest.mark.parametrize(
    ("kind", "hard"), [("Permanent", True), ("Transient", False), ("Undetermined", False)]
)
def test_a_bounce_is_told_once_a_recipient(kind: str, hard: bool) -> None:
    who = [
        {"emailAddress": ANN, "diagnosticCode": "smtp; 550 5.1.1"},
        {"emailAddress": "bo@example.com"},
    ]
    bounce = {"timestamp": ISO, "bounceType": kind, "bouncedRecipients": who, "reason": "other"}
    assert ses("Bounce", bounce, destination=["list@example.com"]) == [
        report(Kind.BOUNCED, detail="smtp; 550 5.1.1", hard=hard),
        report(Kind.BOUNCED, address="bo@example.com", detail="other", hard=hard),
    ]


def test_a_complaint_is_of_those_who_complained() -> None:
    who = [{"emailAddress": "bo@example.com"}]
    found = ses("Complaint", {"timestamp": ISO, "complainedRecipients": who})
    assert found == [report(Kind.COMPLAINED, address="bo@example.com")]


@pytest.mark.parametrize("kind", [*SES])
def test_an_event_of_ses_that_says_no_more_than_its_kind(kind: str) -> None:
    event = {"eventType": kind, "mail": {"destination": [ANN]}}
    expected = report(SES[kind], at=NOW, ticket="")
    assert parsed("ses", envelope(event)) == [expected]
    assert parsed("ses", envelope({"eventType": kind})) == [
        msgspec.structs.replace(expected, address="")
    ]


def test_an_event_of_nobody_is_told_once() -> None:
    assert ses("Delivery", {"timestamp": ISO}, destination=[]) == [
        report(Kind.DELIVERED, address="")
    ]


@pytest.mark.parametrize(
    ("agent", "machine"), [(None, False), (PERSON, False), (ROBOT, True), ("", True)]
)
@pytest.mark.parametrize("kind", ["Open", "Click"])
def test_sess_machines(kind: str, agent: str | None, machine: bool) -> None:
    (found,) = ses(kind, {"timestamp": ISO, "userAgent": agent})
    assert found.machine is machine


@pytest.mark.parametrize("time", [{}, {"timestamp": None}, {"timestamp": "2026-11-18T11:06:39"}])
def test_sess_events_without_a_time_happened_now(time: dict[str, Any]) -> None:
    assert ses("Delivery", time) == [report(Kind.DELIVERED, at=NOW)]


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_only_notifications_of_sns_hold_events(kind: str) -> None:
    event = {"eventType": "Delivery", "mail": {"destination": [ANN]}}
    assert parsed("ses", envelope(event, kind)) == []
    assert len(parsed("ses", envelope(event))) == 1


@pytest.mark.parametrize(("feedback", "count"), [("not-spam", 0), ("abuse", 1), (None, 1)])
def test_who_takes_a_mail_out_of_the_spam_folder_does_not_complain(
    feedback: str | None, count: int
) -> None:
    complaint = {
        "complainedRecipients": [{"emailAddress": ANN}],
        "complaintFeedbackType": feedback,
        "timestamp": ISO,
    }
    assert ses("Complaint", complaint) == [report(Kind.COMPLAINED)] * count


def test_ses_tries_a_topic_with_words() -> None:
    said = envelope({}) | {"Message": "Successfully validated SNS topic for Amazon SES."}
    assert parsed("ses", said) == []


def topics(leaves_all: bool | None, **statuses: str) -> dict[str, Any]:
    listed = [{"topicName": name, "subscriptionStatus": said} for name, said in statuses.items()]
    return {"unsubscribeAll": leaves_all, "topicSubscriptionStatus": listed}


@pytest.mark.parametrize(
    ("new", "old", "count"),
    [
        # As documented for "UnsubscribeHeader".
        (topics(True, news="OptOut"), topics(False, news="OptOut"), 1),
        (topics(False, news="OptOut"), topics(False, news="OptIn"), 1),
        (topics(False, news="OptOut"), None, 1),
        ({"unsubscribeAll": True, "topicSubscriptionStatus": None}, {}, 1),
        # Back again, or something else taken up.
        (topics(False, news="OptIn"), topics(True, news="OptOut"), 0),
        (topics(False, news="OptOut", jobs="OptIn"), topics(False, news="OptOut"), 0),
        (topics(None), topics(True), 0),
    ],
)
def test_a_change_of_what_is_wanted_of_a_contact_list_is_an_opt_out_where_something_is_left(
    new: dict[str, Any], old: dict[str, Any] | None, count: int
) -> None:
    change = {
        "contactList": "ContactListName",
        "timestamp": ISO,
        "source": "UnsubscribeHeader",
        "newTopicPreferences": new,
        "oldTopicPreferences": old,
    }
    assert ses("Subscription", change) == [report(Kind.UNSUBSCRIBED)] * count
