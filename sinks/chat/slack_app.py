"""Slack, through an app of ours (docs.slack.dev/reference/methods/chat.postMessage)."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct, structs

from pipeline.settings import Settings
from schemas.delivery import Content, Delivery
from schemas.encoding import UNDECODABLE
from schemas.errors import Misconfigured
from schemas.foreign import read_foreign
from schemas.profile import BotChat
from schemas.vocabulary import Reason
from sinks.chat.bot_chats import BotChats
from sinks.chat.slack import Blocks, Picture, blocks_of, escaped, pictures_of
from sinks.http.client import HttpClient, Reply, failure_of, require_url, unreadable
from sinks.provider import Fault, Outcome, PermanentFailure, Sent, TransientFailure

GONE = frozenset({"is_archived", "user_disabled", "user_not_found", "cannot_dm_bot"})
"""Nobody reads there any more, or ever did."""
CLOSED = frozenset(
    {"channel_not_found", "not_in_channel", "channel_type_not_supported", "messages_tab_disabled"}
    | {"restricted_action", "restricted_action_read_only_channel", "cannot_reply_to_message"}
    | {"restricted_action_thread_only_channel", "restricted_action_non_threadable_channel"}
    | {"restricted_action_thread_locked", "thread_not_found"}
)
"""This app does not get through, which whoever owns the channel may change. A private channel that
it was not asked into is not found either."""
CONFIGURATION_ERRORS = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}
    | {"missing_scope", "no_permission", "not_allowed_token_type", "access_denied"}
    | {"accesslimited", "ekm_access_denied", "org_login_required", "team_access_not_granted"}
    | {"enterprise_is_restricted", "two_factor_setup_required", "deprecated_endpoint"}
    | {"method_deprecated", "as_user_not_supported"}
)
"""Token, rights or workspace: no fault of the channel's."""
THROTTLED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
BROKEN = frozenset({"fatal_error", "internal_error"})
"""By its documents, some of it may have been done."""
AWAY = frozenset({"service_unavailable", "team_added_to_org", "external_channel_migrating"})
CUT = "request_timeout"
"""Not all of the message came."""


class Message(Struct, frozen=True, omit_defaults=True):
    """`text` is what a notification of the message says; the blocks are what is read."""

    channel: str
    text: str
    blocks: Blocks
    thread_ts: str = ""
    unfurl_links: bool | None = None
    unfurl_media: bool | None = None
    attachments: tuple[Picture, ...] = ()


class Answer(Struct, frozen=True):
    """Its reply: the message's name where it was taken, else why not."""

    ok: bool
    ts: str = ""
    error: str = ""
    needed: str = ""
    """The scope that is missing."""


class SlackApp(BotChats):
    """Posts to Slack as one app, in one workspace."""

    name = "slackapp"
    scheme = "slackapp"

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        super().__init__(http)
        self._base = settings.slackapp_url.rstrip("/")
        self._token = settings.slackapp_bot_token
        self._encode = msgspec.json.Encoder().encode

    async def check(self) -> None:
        """Raise Misconfigured for a URL or a token that can be none; makes no call."""
        require_url("TOCSIN_SLACKAPP_URL", self._base)
        if not self._token.get_secret_value().startswith("xox"):
            raise Misconfigured("TOCSIN_SLACKAPP_BOT_TOKEN is not set, or is no bot's token.")

    def headers(self) -> Mapping[str, str]:
        """The token."""
        return {"Authorization": f"Bearer {self._token.get_secret_value()}"}

    async def post(self, delivery: Delivery, chat: BotChat) -> Outcome:
        """Write into a channel, to a user, or into a thread of one of them."""
        body = self._encode(self.message_of(delivery.content, chat))
        reply = await self.call(f"{self._base}/chat.postMessage", body, delivery)
        return reply if isinstance(reply, TransientFailure) else outcome_of(reply)

    def message_of(self, content: Content, chat: BotChat) -> Message:
        """A section each for title and body."""
        return Message(
            channel=chat.chat,
            text=escaped(content),
            blocks=blocks_of(content),
            thread_ts=chat.thread,
            unfurl_links=False,
            unfurl_media=False,
            attachments=pictures_of(content),
        )


def outcome_of(reply: Reply) -> Outcome:
    """What Slack's reply means: it says 200 also where it did not take the message."""
    try:
        said = read_foreign(reply.body, Answer)
    except UNDECODABLE:
        return failure_of(reply, None)
    if reply.status != 200:
        return _told(failure_of(reply, said.error))
    elif said.ok:
        return Sent(said.ts) if said.ts else unreadable(reply)
    return _failure(reply, said)


def _failure(reply: Reply, said: Answer) -> TransientFailure | PermanentFailure:
    error = said.error
    if not error:
        return unreadable(reply)
    elif error in GONE:
        return PermanentFailure(Reason.UNREGISTERED, error)
    elif error in CLOSED:
        return PermanentFailure(Reason.UNREGISTERED, error, lasting=False)
    elif error in CONFIGURATION_ERRORS:
        return TransientFailure(
            Reason.UNAUTHORIZED, f"{error}: {said.needed}" if said.needed else error
        )
    elif error in THROTTLED:
        return _told(TransientFailure(Reason.THROTTLED, error, reply.retry_after))
    elif error in BROKEN or error in AWAY:
        return TransientFailure(
            Reason.PROVIDER_ERROR, error, reply.retry_after, uncertain=error in BROKEN
        )
    elif error == CUT:
        return TransientFailure(Reason.TIMEOUT, error)
    return PermanentFailure(Reason.REJECTED, error)


def _told(failed: TransientFailure | PermanentFailure) -> TransientFailure | PermanentFailure:
    """Too much may be one channel's or the app's: which it is shows when others are served."""
    if isinstance(failed, TransientFailure) and failed.reason is Reason.THROTTLED:
        return structs.replace(failed, fault=Fault.CREDENTIALS)
    return failed
