"""What is reported on texts, word by word.

Twilio: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status, error codes
https://www.twilio.com/docs/api/errors, and
https://support.twilio.com/hc/en-us/articles/31560110671259 for OptOutType. Plivo:
https://www.plivo.com/docs/messaging/troubleshooting/error-codes. Vonage:
https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts.
"""

from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from policy.tracking.provider_report import Kind, Report
from schemas.vocabulary import Channel
from tests.web.signing import SCHEMES, SETTINGS, vonage_messages
from web.reports.incoming import Incoming, Malformed, first
from web.reports.texts import answer_report, status_report

NOW = 1_795_000_000_000
TICKET, REFERENCE = "a-ticket", "a-reference"
ANN = "+4915112345"
DELIVERED, BOUNCED, FAILED = Kind.DELIVERED, Kind.BOUNCED, Kind.FAILED


def parsed(provider: str, fields: dict[str, Any], kind: str = "") -> list[Report]:
    url = f"https://n.example.com/webhooks/{provider}?a=1&ticket={TICKET}"
    if provider == "vonage":
        fields = {**fields, "client-ref": REFERENCE}
    body = msgspec.json.encode(fields) if "json" in kind else urlencode(fields).encode()
    incoming = Incoming(method="POST", url=url, headers={"Content-Type": kind}, body=body)
    return list(SCHEMES[provider].reporter(SETTINGS).parse(incoming, NOW))


def status(kind: Kind, detail: str = "", *, hard: bool = False, at: int = NOW) -> list[Report]:
    return [Report(kind=kind, at=at, ticket=TICKET, detail=detail, hard=hard)]


def receipt(kind: Kind, detail: str = "", *, hard: bool = False, at: int = NOW) -> list[Report]:
    """Of Vonage, whose callback has no ticket."""
    return [Report(kind=kind, at=at, reference=REFERENCE, detail=detail, hard=hard)]


def answer(kind: Kind, at: int = NOW) -> list[Report]:
    return [Report(kind=kind, at=at, address=ANN)]


@pytest.mark.parametrize(
    ("provider", "name"),
    [("twilio", "MessageStatus"), ("plivo", "Status"), ("vonage", "status")],
)
def test_a_status_without_more_has_no_detail(provider: str, name: str) -> None:
    expected = receipt(FAILED) if provider == "vonage" else status(FAILED)
    assert parsed(provider, {name: "failed"}) == expected


@pytest.mark.parametrize("provider", ["twilio", "plivo", "vonage"])
def test_a_report_that_says_nothing_is_none(provider: str) -> None:
    assert parsed(provider, {"unknown": "to us"}) == []


@pytest.mark.parametrize(
    ("provider", "text", "number"),
    [("twilio", "Body", "From"), ("plivo", "Text", "From"), ("vonage", "text", "msisdn")],
)
def test_an_answer_is_a_text_from_a_number(provider: str, text: str, number: str) -> None:
    assert parsed(provider, {text: "STOP", number: ANN}) == answer(Kind.STOP)
    assert parsed(provider, {text: "STOP"}) == []
    assert parsed(provider, {number: ANN}) == []


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("delivered", DELIVERED),
        ("DELIVERED", DELIVERED),
        ("undelivered", BOUNCED),
        ("expired", BOUNCED),
        ("failed", FAILED),
        ("rejected", FAILED),
        ("read", Kind.OPENED),
        *((word, None) for word in ("accepted", "buffered", "queued", "sending", "sent")),
        *((word, None) for word in ("unknown", "canceled", "scheduled", "")),
    ],
)
def test_what_a_status_means(word: str, kind: Kind | None) -> None:
    expected = [] if kind is None else [Report(kind=kind, at=5, ticket="t", detail="d", hard=True)]
    assert status_report(word, 5, "t", detail="d", hard=True) == expected


@pytest.mark.parametrize(
    ("code", "hard"),
    [
        ("", False),
        ("30001", False),  # queue overflow
        ("30002", False),  # account suspended
        ("30003", False),  # unreachable handset: it may be switched off
        ("30004", False),  # message blocked
        ("30005", True),  # unknown destination handset
        ("30006", True),  # landline or unreachable carrier
        ("30007", False),  # filtered by the carrier
        ("30008", False),  # unknown error
        ("30034", False),  # a number of ours that is not registered
        ("30500", False),
        ("21610", False),
    ],
)
def test_which_of_twilios_errors_bar_a_number(code: str, hard: bool) -> None:
    fields = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": code}
    assert parsed("twilio", fields) == status(BOUNCED, code, hard=hard)


@pytest.mark.parametrize(
    ("status_word", "code", "kind", "hard"),
    [
        ("sent", "", None, False),
        ("delivered", "", DELIVERED, False),
        ("read", "", Kind.OPENED, False),
        ("undelivered", "63003", BOUNCED, True),  # nobody there has WhatsApp
        ("undelivered", "63024", BOUNCED, False),  # WhatsApp's newest terms are not accepted
        ("undelivered", "63032", BOUNCED, False),  # WhatsApp's experiments
        ("undelivered", "63049", BOUNCED, False),  # Meta chose not to deliver
        # No fault of who was to read it.
        *(
            ("undelivered", code, FAILED, False)
            for code in ("63005", "63013", "63016", "63021", "63027", "63028", "63041", "63042")
        ),
        ("failed", "63016", FAILED, False),
    ],
)
def test_what_comes_back_from_whatsapp_by_twilio(
    status_word: str, code: str, kind: Kind | None, hard: bool
) -> None:
    fields = {
        "MessageSid": "SM1",
        "MessageStatus": status_word,
        "ErrorCode": code,
        "To": f"whatsapp:{ANN}",
        "ChannelPrefix": "whatsapp",
    }
    expected = [] if kind is None else status(kind, code, hard=hard)
    assert parsed("twiliowhatsapp", fields) == expected


# As Vonage's package for .NET is tested with it:
# https://github.com/Vonage/vonage-dotnet-sdk, MessageStatusResponse.
STATUS = {
    "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
    "to": "447700900000",
    "from": "447700900001",
    "timestamp": "2025-02-03T12:14:25Z",
    "status": "submitted",
    "channel": "sms",
    "usage": {"currency": "EUR", "price": "0.0333"},
    "destination": {"network_code": "12345"},
    "sms": {"count_total": "2"},
}
SAID_AT = 1_738_584_865_000


def by_messages(name: str, values: Any) -> list[Report]:
    incoming = vonage_messages(values, NOW, REFERENCE, name)
    return list(SCHEMES[name].reporter(SETTINGS).parse(incoming, NOW))


def problem(code: int) -> dict[str, Any]:
    return {
        "type": f"https://developer.vonage.com/api-errors/messages#{code}",
        "title": code,
        "detail": "Throttled - You have exceeded the submission capacity allowed on this account.",
        "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
    }


@pytest.mark.parametrize(
    ("word", "code", "kind", "hard"),
    [
        ("submitted", 0, None, False),
        ("delivered", 0, DELIVERED, False),
        ("read", 0, Kind.OPENED, False),
        ("rejected", 1190, BOUNCED, True),  # absent for good
        ("rejected", 1300, BOUNCED, True),  # not on WhatsApp
        *(
            ("rejected", code, BOUNCED, False)
            for code in (1170, 1180, 1220, 1240, 1250, 1260, 1280, 1290, 1310, 1430, 1461)
        ),
        # The message's fault, ours or Vonage's.
        *(("rejected", code, FAILED, False) for code in (1000, 1020, 1022, 1120, 1340, 1420)),
        ("undeliverable", 1331, FAILED, False),
        ("undeliverable", 1180, BOUNCED, False),
    ],
)
@pytest.mark.parametrize(
    ("name", "channel"), [("vonagemessages", Channel.SMS), ("vonagewhatsapp", Channel.CHAT)]
)
def test_what_comes_back_from_vonages_messages(
    name: str, channel: Channel, word: str, code: int, kind: Kind | None, hard: bool
) -> None:
    values = {**STATUS, "status": word, "channel": "whatsapp" if channel != "sms" else "sms"}
    detail = str(code) if code else ""
    expected = [] if kind is None else receipt(kind, detail, hard=hard, at=SAID_AT)
    named = [msgspec.structs.replace(each, channel=channel) for each in expected]
    for error in (problem(code), {"error": problem(code)}, {"title": str(code)}):
        assert by_messages(name, {**values, "error": error} if code else values) == named


@pytest.mark.parametrize("error", [{}, {"type": "x#y"}, {"type": "about:blank", "title": "No"}])
def test_an_error_without_a_number_has_no_detail(error: dict[str, str]) -> None:
    values = {**STATUS, "status": "rejected", "error": error}
    assert by_messages("vonagemessages", values) == receipt(FAILED, at=SAID_AT)


def test_an_answer_to_vonages_messages() -> None:
    said = {**STATUS, "status": "", "message_type": "text", "text": "Stop", "from": ANN[1:]}
    assert by_messages("vonagemessages", said) == answer(Kind.STOP, SAID_AT)
    for name in ("vonagemessages", "vonagewhatsapp"):
        (there,) = by_messages(name, {**said, "channel": "whatsapp"})
        assert (there.kind, there.address) == (Kind.STOP, f"whatsapp:{ANN}")


@pytest.mark.parametrize("values", [[], "x", None, 7])
def test_what_is_no_status_of_vonages_is_malformed(values: Any) -> None:
    with pytest.raises(Malformed):
        by_messages("vonagemessages", values)


@pytest.mark.parametrize("name", ["twilio", "twiliowhatsapp"])
def test_stop_on_whatsapp_is_not_said_of_texts(name: str) -> None:
    (said,) = parsed(name, {"Body": "STOP", "From": f"whatsapp:{ANN}"})
    assert (said.kind, said.address) == (Kind.STOP, f"whatsapp:{ANN}")
    assert parsed(name, {"Body": "STOP", "From": "messenger:1234"}) == []


@pytest.mark.parametrize(
    ("code", "hard"),
    [
        ("000", False),
        ("10", False),  # invalid message
        ("20", False),  # network error
        ("30", False),  # spam detected
        ("40", False),  # invalid source number: ours
        ("50", True),  # invalid destination number
        ("60", False),  # loop detected
        ("70", True),  # destination permanently unavailable
        ("80", False),  # destination temporarily unavailable
        ("90", False),  # no route available
        ("100", False),  # prohibited by carrier
        ("110", False),  # message too long
        ("200", False),  # source number blocked by STOP from destination number
        ("300", False),  # failed to dispatch
        ("1000", False),
    ],
)
def test_which_of_plivos_errors_bar_a_number(code: str, hard: bool) -> None:
    fields = {"MessageUUID": "1", "Status": "undelivered", "ErrorCode": code}
    assert parsed("plivo", fields) == status(BOUNCED, code, hard=hard)


@pytest.mark.parametrize(
    ("code", "hard"),
    [
        ("0", False),
        ("1", False),  # unknown
        ("2", False),  # absent subscriber, for a time
        ("3", True),  # absent subscriber, for good
        ("4", True),  # call barred by user
        ("5", False),  # portability error
        ("6", False),  # anti-spam rejection
        ("7", False),  # handset busy
        ("8", False),  # network error
        ("9", False),  # illegal number
        ("10", False),  # illegal message
        ("11", False),  # unroutable
        ("12", False),  # destination unreachable
        ("13", False),  # subscriber age restriction
        ("99", False),  # general error
    ],
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json"])
def test_which_of_vonages_errors_bar_a_number(code: str, hard: bool, kind: str) -> None:
    fields = {"messageId": "1", "status": "expired", "err-code": code, "timestamp": "1794999999"}
    expected = receipt(BOUNCED, code, hard=hard, at=1_794_999_999_000)
    assert parsed("vonage", fields, kind) == expected


def test_vonages_receipts_by_json_may_have_numbers_and_nothing() -> None:
    fields = {"status": "delivered", "err-code": 0, "timestamp": 1794999999, "network": None}
    expected = receipt(DELIVERED, "0", at=1_794_999_999_000)
    assert parsed("vonage", fields, "application/json; charset=utf-8") == expected
    assert parsed("vonage", {"status": "failed"}) == receipt(FAILED)
    assert parsed("vonage", {"status": None, "text": "stop", "msisdn": ANN}, "text/json") == answer(
        Kind.STOP
    )


@pytest.mark.parametrize(
    ("provider", "fields", "kind"),
    [
        ("twilio", {"From": ANN, "Body": "STOP"}, Kind.STOP),
        ("twilio", {"From": ANN, "Body": "start"}, Kind.START),
        ("twilio", {"From": ANN, "Body": "hello"}, None),
        # An empty OptOutType is none: the body counts.
        ("twilio", {"From": ANN, "Body": "STOP", "OptOutType": ""}, Kind.STOP),
        ("twilio", {"From": ANN, "Body": "START", "OptOutType": ""}, Kind.START),
        ("twilio", {"From": ANN, "Body": "ARRET", "OptOutType": "STOP"}, Kind.STOP),
        ("twilio", {"From": ANN, "Body": "OUI", "OptOutType": "START"}, Kind.START),
        # It knows the operator's words better than we do.
        ("twilio", {"From": ANN, "Body": "STOP", "OptOutType": "HELP"}, None),
        ("twilio", {"From": "+49 151", "Body": "STOP"}, None),
        ("twilio", {"From": "", "Body": "STOP"}, None),
        ("twilio", {"Body": "STOP"}, None),
        ("twilio", {"From": ANN}, None),
        ("twilio", {"MessageStatus": "", "From": ANN, "Body": "STOP"}, Kind.STOP),
        ("twilio", {"MessageStatus": "queued", "From": ANN, "Body": "STOP"}, None),
        ("plivo", {"From": ANN[1:], "Text": "UNSUBSCRIBE"}, Kind.STOP),
        ("plivo", {"From": f" {ANN} ", "Text": " unstop! "}, Kind.START),
        ("plivo", {"From": ANN, "Body": "STOP"}, None),
        ("plivo", {"Status": "sent", "From": ANN, "Text": "STOP"}, None),
        ("vonage", {"msisdn": ANN[1:], "text": "End"}, Kind.STOP),
        ("vonage", {"msisdn": ANN[1:], "text": "YES"}, Kind.START),
        ("vonage", {"msisdn": "Shop", "text": "STOP"}, None),
    ],
)
def test_what_answers_mean(provider: str, fields: dict[str, str], kind: Kind | None) -> None:
    assert parsed(provider, fields) == ([] if kind is None else answer(kind))


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        *((word, Kind.STOP) for word in ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END")),
        *((word, Kind.STOP) for word in ("QUIT", "REVOKE", "OPTOUT", "'stop'", "Stop!", " stop. ")),
        *((word, Kind.START) for word in ("START", "YES", "UNSTOP", "yes.")),
        *((word, None) for word in ("HELP", "INFO", "NO", "", "stop now", "don't stop")),
    ],
)
def test_which_words_stop_and_start(word: str, kind: Kind | None) -> None:
    assert answer_report(word, ANN, NOW) == ([] if kind is None else answer(kind))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, ""), ({"b": "2"}, "2"), ({"a": "", "b": "2"}, "2"), ({"a": "1", "b": "2"}, "1")],
)
def test_the_first_field_that_says_something(fields: dict[str, str], expected: str) -> None:
    assert first(fields, "a", "b") == expected
