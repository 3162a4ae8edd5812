"""What chat platforms answer to their hooks.

Slack: https://api.slack.com/messaging/webhooks#handling_errors (a word as text). Discord:
https://discord.com/developers/docs/topics/opcodes-and-status-codes#json and
https://discord.com/developers/docs/topics/rate-limits. Teams' workflows: the errors of Azure's
workflow triggers (https://learn.microsoft.com/en-us/rest/api/logic).
"""

from typing import Any

import pytest

from pipeline.settings import Settings
from sinks.chat.discord import Discord
from sinks.chat.slack import Slack
from sinks.chat.teams import Teams
from sinks.http.client import HttpClient
from sinks.provider import Sent
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
    unread(404, HTML),
    *PROXIES,
]
RUN = {"x-ms-workflow-run-id": "08584"}


def teams(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "The workflow 'secret name' …"}}


TEAMS = [
    Row(202, b"", Sent("08584"), RUN),
    # A connector's, of which 1 is the only good one:
    # https://github.com/atc0005/go-teams-notify/issues/59.
    Row(200, b"1", Sent(NAME)),
    unread(200, b"Webhook message delivery failed with error: Microsoft Teams endpoint returned"),
    Row(202, b"", Sent(NAME)),
    unread(204, b"", RUN),
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
