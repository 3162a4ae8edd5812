"""The carrier of a text, where its provider tells it."""

from typing import Any

import pytest

from tests.web.reports.test_texts import DELIVERED, STATUS, by_messages, parsed

# A typical one, by https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts.
RECEIPT = {
    "err-code": "0",
    "message-timestamp": "2018-10-25 12:10:29",
    "messageId": "0B00000127FDBC63",
    "msisdn": "447547232824",
    "network-code": "23410",
    "price": "0.03330000",
    "scts": "1810251310",
    "status": "delivered",
    "to": "Nexmo CLI",
}
# The attributes of https://www.plivo.com/docs/messaging/api/message/message-status-callbacks.
CALLBACK = {
    "MessageUUID": "5b40a428-bfc7-4daf-9d06-726c558bf3b8",
    "To": "14155551234",
    "From": "12025551111",
    "Type": "sms",
    "Status": "delivered",
    "Units": "1",
    "TotalRate": "0.00350",
    "TotalAmount": "0.00350",
    "MCC": "310",
    "MNC": "260",
    "ErrorCode": "",
    "PowerpackUUID": "",
}
AT_O2 = {**STATUS, "status": "delivered", "destination": {"network_code": "23410"}}


@pytest.mark.parametrize(
    ("provider", "fields", "carrier"),
    [
        ("vonage", RECEIPT, "234-10"),
        ("vonage", {**RECEIPT, "status": "failed"}, "234-10"),
        ("vonage", {**RECEIPT, "network-code": ""}, ""),
        ("vonage", {**RECEIPT, "network-code": "unknown"}, ""),
        ("plivo", CALLBACK, "310-260"),
        ("plivo", {**CALLBACK, "Status": "undelivered", "ErrorCode": "300"}, "310-260"),
        ("plivo", {**CALLBACK, "MCC": "", "MNC": ""}, ""),
        ("plivo", {**CALLBACK, "MCC": "000", "MNC": "00"}, ""),
        ("plivo", {**CALLBACK, "MNC": ""}, ""),
        # Twilio's callback has nothing of it.
        ("twilio", {"MessageSid": "SM1", "MessageStatus": "delivered"}, ""),
    ],
)
def test_the_carrier_where_a_provider_tells_it(
    provider: str, fields: dict[str, str], carrier: str
) -> None:
    (report,) = parsed(provider, fields)
    assert report.carrier == carrier


@pytest.mark.parametrize(
    ("destination", "carrier"),
    [
        ({"network_code": "23410"}, "234-10"),
        ({}, ""),
        ({"network_code": 23410}, ""),
        ({"network_code": None}, ""),
        ({"network_code": ["23410"]}, ""),
        (None, ""),
        ("23410", ""),
        ([], ""),
    ],
)
def test_the_carrier_in_vonages_messages(destination: Any, carrier: str) -> None:
    (report,) = by_messages("vonagemessages", {**AT_O2, "destination": destination})
    assert (report.kind, report.carrier) == (DELIVERED, carrier)
