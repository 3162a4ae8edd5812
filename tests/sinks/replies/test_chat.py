"""What chat platforms answer to their hooks.

Slack: https://api.slack.com/messaging/webhooks#handling_errors (a word as text). Discord:
https://discord.com/developers/docs/topics/opcodes-and-status-codes#json and
https://discord.com/developers/docs/topics/rate-limits. Teams' workflows: the errors of Azure's
workflow triggers (https://learn.microsoft.com/en-us/rest/api/logic).
"""

from typing import Any

import pytest

from pipeline.settings import Settings
from schemas.vocabulary import Reason
from sinks.chat.discord import Discord
from sinks.chat.slack import Slack
from sinks.chat.teams import Teams
from sinks.http.client import HttpClient
from sinks.provider import Sent, TransientFailure
from tests.sinks.replies.table import (
    HTML,
    PROXIES,
    Row,
    down,
    each,
    gone,
    ours,
    rejected,
    throttled,
    unread,
)

NAME = "the delivery's id"
GONE_AT_SLACK = [
    "channel_is_archived",
    "channel_not_found",
    "invalid_token",
    "no_active_hooks",
    "no_service",
    "no_service_id",
    "no_team",
    "team_disabled",
    "user_not_found",
]
SLACK = [
    Row(200, b"ok", Sent(NAME)),
    Row(200, b"ok\n", Sent(NAME)),
    unread(200, b"no_service"),
    unread(200, HTML),
    unread(201, b"ok"),
    *(Row(404, word, gone(word)) for word in GONE_AT_SLACK),
    Row(403, b"invalid_token", gone("invalid_token")),
    Row(410, b"channel_is_archived", gone("channel_is_archived")),
    # Said with another status it may be another's word.
    Row(400, b"channel_not_found", rejected("HTTP 400: channel_not_found")),
    Row(500, b"no_service", down("HTTP 500: no_service")),
    Row(400, b"invalid_payload", rejected("HTTP 400: invalid_payload")),
    Row(400, b"invalid_blocks", rejected("HTTP 400: invalid_blocks")),
    Row(400, b"no_text", rejected("HTTP 400: no_text")),
    Row(403, b"action_prohibited", ours("HTTP 403: action_prohibited")),
    # Of its words there are more than any list has.
    Row(400, b"too_many_attachments", rejected("HTTP 400: too_many_attachments")),
    Row(400, b"invalid_attachments\n", rejected("HTTP 400: invalid_attachments")),
    unread(400, b"Bad Request"),
    unread(400, b"error"),
    unread(404, b"not_found"),
    # A hook that starts a workflow: https://github.com/slackapi/node-slack-sdk/pull/2615.
    Row(200, {"ok": True}, Sent(NAME)),
    Row(200, b'{"ok":true}\n', Sent(NAME)),
    Row(200, {"ok": False, "error": "invalid_auth"}, rejected("invalid_auth")),
    Row(400, {"ok": False, "error": "no_text"}, rejected("HTTP 400: no_text")),
    Row(404, {"ok": False, "error": "no_service"}, gone("no_service")),
    Row(500, {"ok": False, "error": "no_service"}, down("HTTP 500: no_service")),
    Row(429, {"ok": False, "error": "rate_limited"}, throttled("HTTP 429: rate_limited")),
    unread(400, {"ok": False}),
    unread(200, {"ok": False}),
    unread(200, {"ok": None}),
    unread(200, b'{"ok":'),
    unread(404, b"not found"),
    unread(410, HTML),
    unread(404, b"\xff\xfe"),
    Row(429, b"rate_limited", throttled("HTTP 429", 30.0), {"retry-after": "30"}),
    *PROXIES,
]


def discord(message: str, code: int = 0, **fields: Any) -> dict[str, Any]:
    return {"message": message, "code": code, **fields}


LIMITED = {"message": "You are being rate limited.", "retry_after": 0.457, "global": False}
DISCORD = [
    Row(200, {"id": "1234567890", "type": 0}, Sent("1234567890")),
    unread(204, b""),
    unread(200, {}),
    unread(200, HTML),
    Row(404, discord("Unknown Webhook", 10015), gone("10015: Unknown Webhook")),
    Row(401, discord("Invalid Webhook Token", 50027), gone("50027: Invalid Webhook Token")),
    Row(404, discord("x" * 200, 10015), gone("10015: " + "x" * 100)),
    Row(404, discord("Unknown Channel", 10003), rejected("HTTP 404: 10003: Unknown Channel")),
    Row(400, discord("Invalid Form Body", 50035), rejected("HTTP 400: 50035: Invalid Form Body")),
    Row(401, discord("401: Unauthorized"), ours("HTTP 401: 0: 401: Unauthorized")),
    # To the millisecond where the body says so, else as the header has it.
    Row(
        429,
        LIMITED,
        throttled("HTTP 429: 0: You are being rate limited.", 0.457),
        {"retry-after": "1"},
    ),
    Row(429, discord("slow", 1), throttled("HTTP 429: 1: slow", 2.0), {"retry-after": "2"}),
    Row(500, discord("500: Internal"), down("HTTP 500: 0: 500: Internal")),
    # Another form, for which see https://github.com/lovvskillz/python-discord-webhook/issues/16.
    Row(400, {"embeds": ["0"]}, rejected("HTTP 400: embeds")),
    Row(400, {"_misc": ["Expected"], "embeds": []}, rejected("HTTP 400: _misc, embeds")),
    unread(400, {}),
    unread(400, {"error": "Bad Request"}),
    # From Cloudflare's edge: https://github.com/discord/discord-api-docs/issues/5810 and 7040.
    Row(429, {"code": 0, "message": "blocked"}, throttled("HTTP 429: 0: blocked")),
    Row(429, b"error code: 1015", throttled("HTTP 429", 5.0), {"retry-after": "5"}),
    # With values of other kinds than documented.
    Row(404, {"message": "gone", "code": "10015", "retry_after": None}, gone("10015: gone")),
    Row(200, {"id": 1234567890}, Sent("1234567890")),
    unread(404, HTML),
    *PROXIES,
]
RUN = {"x-ms-workflow-run-id": "08584"}
WITHIN = b"Webhook message delivery failed with error: Microsoft Teams endpoint "
BY = "said by a connector"


def teams(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "The workflow 'secret name' …"}}


TEAMS = [
    Row(202, b"", Sent("08584"), RUN),
    # A connector's, of which 1 is the only good one:
    # https://github.com/atc0005/go-teams-notify/issues/59.
    Row(200, b"1", Sent(NAME)),
    unread(200, b"Something else"),
    # https://github.com/MicrosoftDocs/msteams-docs/issues/7425 (429), 1810 (413), 400 and 1736.
    Row(
        200, WITHIN + b"returned HTTP error 429 with ContextId tcid=0", throttled(f"HTTP 429: {BY}")
    ),
    Row(
        200, WITHIN + b"returned HTTP error 413 with ContextId tcid=6", rejected(f"HTTP 413: {BY}")
    ),
    Row(
        200, WITHIN + b"returned HTTP error 400 with ContextId tcid=3", rejected(f"HTTP 400: {BY}")
    ),
    Row(200, WITHIN + b"returned HTTP error 403 with ContextId tcid=3", ours(f"HTTP 403: {BY}")),
    Row(200, WITHIN + b"returned HTTP error 503 with ContextId tcid=3", down(f"HTTP 503: {BY}")),
    Row(
        200,
        b"Webhook message delivery failed with error: Error contacting Microsoft Teams endpoint",
        TransientFailure(Reason.PROVIDER_ERROR, f"HTTP 502: {BY}", uncertain=True),
    ),
    # https://github.com/navicore/teams-notification-resource/issues/36, and
    # https://github.com/opsgenie/kubernetes-event-exporter/issues/46.
    Row(
        400,
        b"Bad payload received by generic incoming webhook.",
        rejected("HTTP 400: it is no card to a connector"),
    ),
    Row(400, b"Summary or Text is required.", rejected("HTTP 400: it is no card to a connector")),
    # A workflow with an answer of its own: https://github.com/Skitionek/notify-microsoft-teams/issues/98.
    Row(200, b"posted, thanks", Sent("08584"), RUN),
    Row(204, b"", Sent("08584"), RUN),
    unread(204, b""),
    unread(302, b"", RUN),
    Row(202, b"", Sent(NAME)),
    Row(404, teams("WorkflowNotFound"), gone("WorkflowNotFound")),
    Row(400, teams("WorkflowTriggerIsNotEnabled"), gone("WorkflowTriggerIsNotEnabled")),
    Row(410, teams("DirectApiRequestDenied"), gone("DirectApiRequestDenied")),
    Row(401, teams("DirectApiRequestDenied"), ours("HTTP 401: DirectApiRequestDenied")),
    Row(
        401,
        teams("DirectApiAuthorizationRequired"),
        ours("HTTP 401: DirectApiAuthorizationRequired"),
    ),
    Row(400, teams("TriggerInputSchemaMismatch"), rejected("HTTP 400: TriggerInputSchemaMismatch")),
    Row(
        429,
        teams("WorkflowTriggerThrottled"),
        throttled("HTTP 429: WorkflowTriggerThrottled", 9.0),
        {"retry-after": "9"},
    ),
    Row(500, teams("WorkflowNotFound"), down("HTTP 500: WorkflowNotFound")),
    unread(404, HTML),
    *PROXIES,
]


@pytest.fixture
def settings() -> Settings:
    return Settings()


@each(SLACK)
def test_what_each_reply_of_slacks_means(row: Row, settings: Settings, http: HttpClient) -> None:
    assert Slack(settings, http).outcome_of(row.reply, NAME) == row.outcome


@each(DISCORD)
def test_what_each_reply_of_discords_means(row: Row, settings: Settings, http: HttpClient) -> None:
    assert Discord(settings, http).outcome_of(row.reply, NAME) == row.outcome


@each(TEAMS)
def test_what_each_reply_of_teams_means(row: Row, settings: Settings, http: HttpClient) -> None:
    assert Teams(settings, http).outcome_of(row.reply, NAME) == row.outcome
