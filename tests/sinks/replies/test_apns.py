"""Apple's replies, all of the table in "Handling notification responses from APNs"
(https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns).
"""

import pytest

from sinks.provider import Outcome, Sent
from sinks.push.apns import outcome_of
from tests.sinks.replies.table import (
    HTML,
    PROXIES,
    Row,
    down,
    each,
    gone,
    invalid,
    maybe_invalid,
    ours,
    rejected,
    reply,
    throttled_alone,
    throttled_or_alone,
    unread,
)

ID = "eabeae54-14a8-11e5-b60b-1697f925ec7b"
REASONS: dict[tuple[int, str], Outcome] = {
    (400, "BadCollapseId"): rejected("HTTP 400: BadCollapseId"),
    (400, "BadDeviceToken"): invalid("BadDeviceToken"),
    (400, "BadExpirationDate"): rejected("HTTP 400: BadExpirationDate"),
    (400, "BadMessageId"): rejected("HTTP 400: BadMessageId"),
    (400, "BadPriority"): rejected("HTTP 400: BadPriority"),
    (400, "BadTopic"): ours("BadTopic"),
    (400, "DeviceTokenNotForTopic"): invalid("DeviceTokenNotForTopic"),
    (400, "DuplicateHeaders"): rejected("HTTP 400: DuplicateHeaders"),
    (400, "IdleTimeout"): down("IdleTimeout"),
    (400, "InvalidPushType"): rejected("HTTP 400: InvalidPushType"),
    (400, "MissingDeviceToken"): invalid("MissingDeviceToken"),
    (400, "MissingTopic"): ours("MissingTopic"),
    (400, "PayloadEmpty"): rejected("HTTP 400: PayloadEmpty"),
    (400, "TopicDisallowed"): ours("TopicDisallowed"),
    (403, "BadCertificate"): ours("BadCertificate"),
    (403, "BadCertificateEnvironment"): ours("BadCertificateEnvironment"),
    (403, "BadEnvironmentKeyIdInToken"): ours("BadEnvironmentKeyIdInToken"),
    (403, "ExpiredProviderToken"): ours("ExpiredProviderToken"),
    (403, "Forbidden"): ours("Forbidden"),
    (403, "InvalidProviderToken"): ours("InvalidProviderToken"),
    (403, "MissingProviderToken"): ours("MissingProviderToken"),
    (403, "UnrelatedKeyIdInToken"): ours("UnrelatedKeyIdInToken"),
    (410, "ExpiredToken"): gone("ExpiredToken"),
    (410, "Unregistered"): gone("Unregistered"),
    (413, "PayloadTooLarge"): rejected("HTTP 413: PayloadTooLarge"),
    (429, "TooManyProviderTokenUpdates"): throttled_or_alone(
        "HTTP 429: TooManyProviderTokenUpdates"
    ),
    (429, "TooManyRequests"): throttled_alone("HTTP 429: TooManyRequests"),
    (500, "InternalServerError"): down("HTTP 500: InternalServerError"),
    (503, "ServiceUnavailable"): down("HTTP 503: ServiceUnavailable"),
    (503, "Shutdown"): down("HTTP 503: Shutdown"),
}
ROWS = [
    Row(200, b"", Sent(ID), {"apns-id": ID}),
    unread(200, b""),
    unread(200, HTML, {"apns-id": ID}),
    Row(
        429,
        {"reason": "TooManyRequests"},
        throttled_alone("HTTP 429: TooManyRequests", 9.0),
        {"retry-after": "9"},
    ),
    Row(410, {"reason": "Unregistered", "timestamp": 1_795_000_000_000}, gone("Unregistered")),
    unread(410, HTML),
    unread(404, HTML),
    *PROXIES,
]


@pytest.mark.parametrize(("status", "reason"), REASONS)
def test_what_each_reason_means(status: int, reason: str) -> None:
    assert outcome_of(reply(status, {"reason": reason})) == REASONS[status, reason]


# What is wrong with a key or a topic is never wrong with a device, whatever the status is.
@pytest.mark.parametrize("reason", ["InvalidProviderToken", "TopicDisallowed", "MissingTopic"])
@pytest.mark.parametrize("status", [400, 403, 410])
def test_our_own_faults_bar_no_device(status: int, reason: str) -> None:
    assert outcome_of(reply(status, {"reason": reason})) == ours(reason)


@each(ROWS)
def test_what_each_reply_means(row: Row) -> None:
    assert outcome_of(row.reply) == row.outcome


@pytest.mark.parametrize("reason", ["BadDeviceToken", "DeviceTokenNotForTopic"])
def test_before_anything_went_out_a_bad_token_may_be_our_environment(reason: str) -> None:
    found = outcome_of(reply(400, {"reason": reason}), is_proven=False)
    assert found == maybe_invalid(reason)
