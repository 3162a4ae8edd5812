"""Twilio's replies, in the words of its dictionary of errors.

That is https://www.twilio.com/docs/api/errors (2026, also as `.md`), with a page for each code.
"""

from typing import Any

import pytest

from schemas.vocabulary import Reason
from sinks.provider import PermanentFailure, Sent
from sinks.sms.twilio import form_of, outcome_of
from tests.sinks.replies.table import (
    HTML,
    PROXIES,
    TEXT,
    Row,
    down,
    each,
    gone,
    invalid,
    maybe_invalid,
    ours,
    rejected,
    reply,
    throttled,
    unread,
)

INVALID_NUMBER = {
    21211: "Invalid 'To' Phone Number",
    21214: "'To' phone number cannot be reached",
    21217: "Phone number does not appear to be valid",
    21265: "'To' number cannot be a Short Code",
    21266: "'To' and 'From' numbers cannot be the same",
    21268: "Sending to Premium rate or Information Service numbers is not allowed",
    21604: "The destination 'To' phone number is required to send an SMS",
    21614: "'To' number is not a valid mobile number",
    21635: "'To' number cannot be a landline",
    63003: "Channel could not find To address",
}
# Of a number in a country, or with a carrier, that our account does not send to: it may come to.
UNREACHED = {
    21408: "Permission to send an SMS has not been enabled for the region of the 'To' number",
    21612: 'Message cannot be sent with the current combination of "To" and/or "From" parameters',
    21662: "Current combination of 'From' and 'To' parameters cannot be used in Ireland region",
}
OUR_SETTINGS = {
    10001: "Account is not active",
    20003: "Permission Denied",
    20005: "Account not active",
    20404: "Not Found",
    21212: "Invalid From Number (caller ID)",
    21264: "'From' phone number not verified",
    21267: "Alphanumeric Sender ID cannot be used as the 'From' number on trial accounts",
    21601: "Phone number is not a valid SMS-capable inbound phone number",
    21603: "A 'From' or 'MessagingServiceSid' parameter is required to send a message",
    21606: "'From' number is not a valid message-capable Twilio number for this account",
    21607: "The 'from' phone number must be the sandbox phone number for trial accounts.",
    21609: "Invalid 'StatusCallback'",
    21616: "The 'From' number matches multiple numbers for your account",
    21657: "The Sender ID is invalid",
    21659: "'From' is not a Twilio phone number or Short Code country mismatch",
    21660: "Mismatch between the 'From' number and the account",
    21661: "'From' number is not SMS-capable",
    21663: "'From' phone number routing configuration is incorrect",
    21668: "Phone number type is not supported for messaging in the Ireland (IE1) region.",
    21701: "The Messaging Service does not exist",
    21702: "The Messaging Service is not available to send new messages",
    21703: "The Messaging Service does not have a phone number available to send a message",
    21704: "The Messaging Service contains no phone numbers",
    21705: "The Messaging Service is invalid",
    21709: "Alpha Sender ID is Invalid or Not Authorized for this Messaging Service",
    21910: "Invalid From and To pair. From and To should be of the same channel.",
    63001: "Channel could not authenticate the request",
    63002: "Channel could not find the From address",
    63007: "Twilio could not find a Channel with the specified From address",
    63008: "Could not execute the request because the channel module has been misconfigured",
    63020: "Twilio encountered a Business Manager account error",
    63022: "Invalid vname certificate",
    63051: "WhatsApp Business Account is Locked",
}
SAID_STOP = "Attempt to send to unsubscribed recipient"
QUEUE = "The 'From' number has exceeded the maximum number of queued messages"


def error(code: int, message: str, status: int) -> dict[str, Any]:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": message, "more_info": more, "status": status}


OUTSIDE = "Outside messaging window"


def taken(status: int, code: int, said: str, outcome: Any, after: str = "") -> Row:
    headers = {"retry-after": after} if after else {}
    return Row(status, error(code, said, status), outcome, headers)


def closed(detail: str) -> PermanentFailure:
    """It is not served as it is, which whoever has the number may change."""
    return PermanentFailure(Reason.UNREGISTERED, detail, lasting=False)


# https://www.twilio.com/docs/whatsapp/tutorial/error-codes, and the page of each.
WHATSAPP = [
    *(
        taken(400, code, said, rejected(f"HTTP 400: {code}: {said}"))
        for code, said in {
            63005: "Channel did not accept given content",
            63013: "Channel policy violation",
            63016: OUTSIDE,
            63021: "Channel invalid content error",
            63027: "Template does not exist for a language and locale",
            63028: "Number of parameters provided does not match the expected number",
            63031: "Channels message cannot have same 'From' and 'To'",
            63041: "Template paused",
            63042: "Template disabled",
            21656: "The ContentVariables parameter is invalid",
        }.items()
    ),
    *(
        taken(400, code, said, closed(f"{code}: {said}"))
        for code, said in {
            21219: "'To' phone number not verified",
            21608: "The 'to' phone number provided is not yet verified for this account.",
            63014: "Channel message blocked by user action",
            63015: "Channel Sandbox can only send messages to phone numbers that have joined it",
            63024: "Invalid message recipient",
            63033: "Recipient blocked to receive message",
        }.items()
    ),
    taken(400, 63017, "Rate limit exceeded", throttled("63017: Rate limit exceeded")),
    taken(
        400,
        63038,
        "Account exceeded the daily messages limit",
        throttled("63038: Account exceeded the daily messages limit"),
    ),
    taken(400, 63009, "Internal service error", down("63009: Internal service error")),
    taken(400, 63023, "Channel generic error", down("63023: Channel generic error")),
    taken(400, 21730, "System under maintenance.", down("21730: System under maintenance.")),
    taken(400, 63018, "Rate limit", throttled("63018: Rate limit", 9.0), "9"),
    taken(429, 63018, "Rate limit", throttled("63018: Rate limit")),
    taken(400, 63010, "Internal error", down("63010: Internal error")),
    taken(400, 63012, "Service error", down("63012: Service error", 3.0), "3"),
]
ROWS = [
    *WHATSAPP,
    Row(201, {"sid": "SM87105da9", "status": "queued"}, Sent("SM87105da9", 2, 0.15)),
    Row(200, {"sid": "SM87105da9", "status": "queued"}, Sent("SM87105da9", 2, 0.15)),
    unread(201, {"status": "queued"}),
    unread(201, HTML),
    unread(300, {"sid": "SM87105da9"}),
    Row(400, error(21610, SAID_STOP, 400), gone(f"21610: {SAID_STOP}")),
    Row(400, error(21611, QUEUE, 400), throttled(f"21611: {QUEUE}")),
    Row(429, error(21611, QUEUE, 429), throttled(f"21611: {QUEUE}", 9.0), {"retry-after": "9"}),
    Row(
        429, error(20429, "Too Many Requests", 429), throttled("HTTP 429: 20429: Too Many Requests")
    ),
    Row(
        400,
        error(21602, "Message body is required", 400),
        rejected("HTTP 400: 21602: Message body is required"),
    ),
    Row(
        400,
        error(21617, "The concatenated message body exceeds the 1600 character limit", 400),
        rejected("HTTP 400: 21617: The concatenated message body exceeds the 1600 character limit"),
    ),
    Row(
        500,
        error(20500, "Internal Server Error", 500),
        down("HTTP 500: 20500: Internal Server Error"),
    ),
    Row(
        503,
        error(20503, "Service Unavailable", 503),
        down("HTTP 503: 20503: Service Unavailable", 5.0),
        {"retry-after": "5"},
    ),
    *PROXIES,
]


@pytest.mark.parametrize("code", INVALID_NUMBER)
def test_a_number_that_can_get_no_text(code: int) -> None:
    said = INVALID_NUMBER[code]
    assert outcome_of(reply(400, error(code, said, 400)), TEXT) == invalid(f"{code}: {said}")


@pytest.mark.parametrize("code", UNREACHED)
def test_a_number_that_our_account_does_not_reach_is_not_barred(code: int) -> None:
    said = UNREACHED[code]
    assert outcome_of(reply(400, error(code, said, 400)), TEXT) == maybe_invalid(f"{code}: {said}")


# Whatever the HTTP status is: 401 for 20003, 404 for 20404, else 400.
@pytest.mark.parametrize("code", OUR_SETTINGS)
@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_setting_that_twilio_refuses(code: int, status: int) -> None:
    said = OUR_SETTINGS[code]
    assert outcome_of(reply(status, error(code, said, status)), TEXT) == ours(f"{code}: {said}")


@each(ROWS)
def test_what_each_reply_means(row: Row) -> None:
    assert outcome_of(row.reply, TEXT) == row.outcome


def test_a_form_has_a_callback_only_where_there_is_one() -> None:
    form = {"To": "+4930123456", "From": "Shop", "Body": "Hi"}
    assert form_of(TEXT) == form
    by_service = {"To": "+4930123456", "MessagingServiceSid": "MG1", "Body": "Hi"}
    assert form_of(TEXT, "MG1") == by_service
    with_callback = TEXT.__class__("+1", "+2", "b", False, 1, 0.0, "https://n.example.com/x")
    assert form_of(with_callback)["StatusCallback"] == "https://n.example.com/x"
