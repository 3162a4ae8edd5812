"""What platforms answer to a bot of ours.

Telegram: https://core.telegram.org/bots/api#making-requests, and its words as they are collected in
https://github.com/TelegramBotAPI/errors and https://github.com/vrumger/telegram-errors. Slack:
https://github.com/slack-ruby/slack-api-ref (methods/chat/chat.postMessage.json) and
https://docs.slack.dev/apis/web-api/rate-limits.
"""

from typing import Any

import pytest

from schemas.vocabulary import Reason
from sinks.chat import slack_app, telegram
from sinks.chat.telegram import moved_to
from sinks.provider import Fault, PermanentFailure, Sent, TransientFailure
from tests.sinks.replies.table import (
    HTML,
    PROXIES,
    Row,
    down,
    each,
    gone,
    ours,
    rejected,
    reply,
    unread,
)
from tests.sinks.replies.table import throttled_or_alone as throttled


def closed(detail: str) -> PermanentFailure:
    """It does not get through now; whoever owns the chat may change that."""
    return PermanentFailure(Reason.UNREGISTERED, detail, lasting=False)


def bot(status: int, description: str, **parameters: Any) -> dict[str, Any]:
    said = {"ok": False, "error_code": status, "description": description}
    return {**said, "parameters": parameters} if parameters else said


def said(status: int, description: str, outcome: Any) -> Row:
    return Row(status, bot(status, description), outcome(description))


UPGRADED = "Bad Request: group chat was upgraded to a supergroup chat"
TELEGRAM = [
    Row(200, {"ok": True, "result": {"message_id": 7, "date": 0}}, Sent("7")),
    unread(200, {"ok": True, "result": {}}),
    unread(200, {"ok": True, "result": True}),
    unread(200, HTML),
    said(403, "Forbidden: bot was blocked by the user", gone),
    said(403, "Forbidden: user is deactivated", gone),
    said(403, "Forbidden: bot was kicked from the group chat", gone),
    said(403, "Forbidden: bot was kicked from the supergroup chat", gone),
    said(403, "Forbidden: bot was kicked from the channel chat", gone),
    said(403, "Forbidden: bot can't send messages to bots", gone),
    said(403, "Forbidden: the group chat was deleted", gone),
    said(400, "Bad Request: group is deactivated", gone),
    said(400, "Bad Request: chat not found", closed),
    said(400, "Bad Request: user not found", closed),
    said(400, "[Error]: Bad Request: user not found", closed),
    said(400, "Bad Request: PEER_ID_INVALID", closed),
    said(400, "Bad Request: have no rights to send a message", closed),
    said(400, "Bad Request: not enough rights to send text messages to the chat", closed),
    said(400, "Bad Request: CHAT_WRITE_FORBIDDEN", closed),
    said(400, "Bad Request: message thread not found", closed),
    said(400, "Bad Request: TOPIC_CLOSED", closed),
    said(400, "Bad Request: TOPIC_DELETED", closed),
    said(400, "Bad Request: CHAT_RESTRICTED", closed),
    said(400, "Bad Request: need administrator rights in the channel chat", closed),
    said(403, "Forbidden: bot is not a member of the group chat", closed),
    said(403, "Forbidden: bot can't initiate conversation with a user", closed),
    said(403, "Forbidden: bot is not a member of the supergroup chat", closed),
    said(403, "Forbidden: bot is not a member of the channel chat", closed),
    Row(400, bot(400, UPGRADED, migrate_to_chat_id=-1001), closed(UPGRADED)),
    Row(403, bot(403, "Forbidden"), ours("HTTP 403: Forbidden")),
    Row(401, bot(401, "Unauthorized"), ours("HTTP 401: Unauthorized")),
    Row(404, bot(404, "Not Found"), ours("Not Found")),
    Row(
        400,
        bot(400, "Bad Request: message text is empty"),
        rejected("HTTP 400: Bad Request: message text is empty"),
    ),
    Row(
        400,
        bot(400, "Bad Request: message is too long"),
        rejected("HTTP 400: Bad Request: message is too long"),
    ),
    Row(
        429,
        bot(429, "Too Many Requests: retry after 34", retry_after=34),
        throttled("HTTP 429: Too Many Requests: retry after 34", 34.0),
        {"retry-after": "35"},
    ),
    Row(429, bot(429, "slow"), throttled("HTTP 429: slow", 3.0), {"retry-after": "3"}),
    Row(500, bot(500, "Internal Server Error"), down("HTTP 500: Internal Server Error")),
    Row(403, HTML, ours("HTTP 403")),
    unread(404, HTML),
    *PROXIES,
]


def word(error: str, outcome: Any, **fields: Any) -> Row:
    return Row(200, {"ok": False, "error": error, **fields}, outcome(error))


def unfinished(error: str) -> TransientFailure:
    return TransientFailure(Reason.PROVIDER_ERROR, error, uncertain=True)


SLACK = [
    Row(200, {"ok": True, "channel": "C1", "ts": "1503435956.000247"}, Sent("1503435956.000247")),
    unread(200, {"ok": True}),
    unread(200, {"ok": False}),
    unread(200, {"error": "invalid_auth"}),
    unread(200, HTML),
    *(
        word(each, gone)
        for each in ("is_archived", "user_disabled", "user_not_found", "cannot_dm_bot")
    ),
    *(
        word(each, closed)
        for each in (
            "channel_not_found",
            "not_in_channel",
            "messages_tab_disabled",
            "channel_type_not_supported",
            "cannot_reply_to_message",
            "thread_not_found",
            "restricted_action_thread_locked",
            "restricted_action",
            "restricted_action_read_only_channel",
            "restricted_action_thread_only_channel",
            "restricted_action_non_threadable_channel",
        )
    ),
    *(
        word(each, ours)
        for each in (
            "invalid_auth",
            "not_authed",
            "account_inactive",
            "token_revoked",
            "token_expired",
            "no_permission",
            "org_login_required",
            "ekm_access_denied",
            "not_allowed_token_type",
            "access_denied",
            "accesslimited",
            "team_access_not_granted",
            "enterprise_is_restricted",
            "two_factor_setup_required",
            "deprecated_endpoint",
            "method_deprecated",
            "as_user_not_supported",
        )
    ),
    word("missing_scope", ours),
    Row(
        200,
        {"ok": False, "error": "missing_scope", "needed": "chat:write", "provided": "users:read"},
        ours("missing_scope: chat:write"),
    ),
    word("fatal_error", unfinished),
    word("internal_error", unfinished),
    word("service_unavailable", down),
    word("team_added_to_org", down),
    word("external_channel_migrating", down),
    word("message_limit_exceeded", throttled),
    word("request_timeout", lambda error: TransientFailure(Reason.TIMEOUT, error)),
    word("ratelimited", throttled),
    Row(
        200,
        {"ok": False, "error": "rate_limited"},
        throttled("rate_limited", 5.0),
        {"retry-after": "5"},
    ),
    Row(
        429,
        {"ok": False, "error": "ratelimited"},
        throttled("HTTP 429: ratelimited", 30.0),
        {"retry-after": "30"},
    ),
    *(
        word(each, rejected)
        for each in ("msg_too_long", "no_text", "invalid_blocks", "too_many_attachments")
    ),
    word("invalid_arguments", rejected),
    *PROXIES,
]


@each(TELEGRAM)
def test_what_each_reply_of_telegrams_means(row: Row) -> None:
    assert telegram.outcome_of(row.reply) == row.outcome


@each(SLACK)
def test_what_each_reply_of_slacks_means(row: Row) -> None:
    assert slack_app.outcome_of(row.reply) == row.outcome


@pytest.mark.parametrize(
    ("status", "body", "chat"),
    [
        (400, bot(400, UPGRADED, migrate_to_chat_id=-1001234), "-1001234"),
        (400, bot(400, UPGRADED), None),
        (400, HTML, None),
        (200, bot(400, UPGRADED, migrate_to_chat_id=-1001234), None),
    ],
)
def test_where_a_group_went(status: int, body: Any, chat: str | None) -> None:
    assert moved_to(reply(status, body)) == chat


def test_too_much_may_be_one_chats() -> None:
    assert throttled("429").whose is Fault.CREDENTIALS
