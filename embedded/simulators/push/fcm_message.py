"""What FCM takes for a message, and what it refuses in one."""

import re
from typing import Any, Literal

import msgspec
from msgspec import Struct

TOKEN = re.compile(r"\S{1,4096}")
TTL = re.compile(r"(\d+)(\.\d{1,9})?s")
MAX_TTL = 2_419_200  # seconds: four weeks
MAX_PAYLOAD = 4096  # bytes of keys and values
MAX_COLLAPSE_ID = 64  # bytes, set by APNs
RESERVED = re.compile(r"from|message_type|google.*|gcm.*")


class InvalidFieldError(Exception):
    """A field holds what FCM refuses."""

    def __init__(self, field: str, description: str) -> None:
        super().__init__(description)
        self.field = field
        self.description = description


class Notification(Struct, forbid_unknown_fields=True):
    """What is shown, on every platform."""

    title: str | None = None
    body: str | None = None
    image: str | None = None


class Android(Struct, forbid_unknown_fields=True):
    """What concerns Android alone."""

    collapse_key: str | None = None
    priority: Literal["high", "normal", "HIGH", "NORMAL"] = "normal"
    ttl: str | None = None
    restricted_package_name: str | None = None
    data: dict[str, str] | None = None
    notification: dict[str, Any] | None = None
    fcm_options: dict[str, Any] | None = None
    direct_boot_ok: bool | None = None


class Apns(Struct, forbid_unknown_fields=True):
    """What concerns Apple's devices alone."""

    headers: dict[str, str] = {}
    payload: dict[str, Any] | None = None
    fcm_options: dict[str, Any] | None = None


class Message(Struct, forbid_unknown_fields=True):
    """One message to one target."""

    token: str | None = None
    fid: str | None = None
    topic: str | None = None
    condition: str | None = None
    data: dict[str, str] | None = None
    notification: Notification | None = None
    android: Android | None = None
    apns: Apns | None = None
    webpush: dict[str, Any] | None = None
    fcm_options: dict[str, Any] | None = None

    def address(self) -> str:
        """The one target that is set, or nothing."""
        return self.token or self.fid or self.topic or self.condition or ""


class Body(Struct, forbid_unknown_fields=True):
    """The body of a request."""

    message: Message
    validate_only: bool = False


def check_message(message: Message) -> None:
    """Raise InvalidFieldError for the first thing that FCM refuses."""
    targets = (message.token, message.fid, message.topic, message.condition)
    if sum(target is not None for target in targets) != 1:
        raise InvalidFieldError("message", "Recipient of the message is not set.")
    if message.token is not None and not TOKEN.fullmatch(message.token):
        text = "The registration token is not a valid FCM registration token"
        raise InvalidFieldError("message.token", text)
    _check_payload(message)
    if message.android:
        _check_ttl(message.android.ttl)
    if message.apns:
        collapse_id = message.apns.headers.get("apns-collapse-id", "")
        if len(collapse_id.encode()) > MAX_COLLAPSE_ID:
            raise InvalidFieldError("message.apns.headers", "apns-collapse-id is too long")


def _check_payload(message: Message) -> None:
    data = message.data or {}
    for key in data:
        if RESERVED.fullmatch(key):
            raise InvalidFieldError("message.data", f"Invalid data payload key: {key}")
    web = message.webpush or {}
    link = web.get("fcm_options", {}).get("link", "https:")
    if not link.startswith("https:"):
        raise InvalidFieldError("message.webpush.fcm_options.link", "Not an HTTPS URL")
    size = sum(len(key.encode()) + len(value.encode()) for key, value in data.items())
    if message.notification:
        size += len((message.notification.title or "").encode())
        size += len((message.notification.body or "").encode())
        size += len((message.notification.image or "").encode())
    size += len(msgspec.json.encode(web)) if web else 0
    if size > MAX_PAYLOAD:
        raise InvalidFieldError("message", "Android message is too big")


def _check_ttl(ttl: str | None) -> None:
    if ttl is None:
        return
    matched = TTL.fullmatch(ttl)
    if matched is None or int(matched[1]) > MAX_TTL:
        raise InvalidFieldError("message.android.ttl", "Invalid TTL")
