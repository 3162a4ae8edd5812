"""Addresses of channels that several providers share: a scheme in front says whose each is.

A push token of FCM stands bare, as e-mail addresses, phone numbers and webhooks' URLs do;
`apns:TOKEN` is Apple's, `web:SUBSCRIPTION` a browser's, `slack:URL` a chat platform's hook, and
`telegram:CHAT/THREAD`, `slackapp:CHAT` or `whatsapp:NUMBER` where our bot writes. So an
address tells by itself who can reach it, wherever it is kept: in a profile, a held digest, a retry.
"""

import msgspec

from schemas.profile import BotChat, ChatHook, Device

SCHEMES = ("apns", "web", "slack", "teams", "discord", "telegram", "slackapp", "whatsapp")
"""What may stand before the colon; an FCM token has colons too, but none of these before one."""
BARE = ""
WHATSAPP = "whatsapp"
_BOTS = {"slack": "slackapp"}
"""Of platforms that have hooks as well, so that each kind of address has a scheme."""


def push_address(device: Device) -> str:
    """The address of a device."""
    return device.token if device.platform == "fcm" else f"{device.platform}:{device.token}"


def device_of(address: str) -> Device:
    """The device of an address that `push_address` wrote."""
    scheme, token = split_address(address)
    return msgspec.convert({"token": token, "platform": scheme or "fcm"}, Device)


def hook_of(address: str) -> ChatHook:
    """The hook of an address that `chat_address` wrote."""
    platform, url = split_address(address)
    return msgspec.convert({"platform": platform, "url": url}, ChatHook)


def chat_address(hook: ChatHook) -> str:
    """The address of a chat platform's incoming webhook."""
    return f"{hook.platform}:{hook.url}"


def bot_chat_address(chat: BotChat) -> str:
    """The address of a chat that our bot writes into."""
    scheme = _BOTS.get(chat.platform, chat.platform)
    return f"{scheme}:{chat.chat}/{chat.thread}" if chat.thread else f"{scheme}:{chat.chat}"


def bot_chat_of(address: str) -> BotChat:
    """The chat of an address that `bot_chat_address` wrote; raises msgspec.ValidationError."""
    scheme, rest = split_address(address)
    platform = next((name for name, its in _BOTS.items() if its == scheme), scheme)
    chat, _, thread = rest.partition("/")
    return msgspec.convert({"platform": platform, "chat": chat, "thread": thread}, BotChat)


def split_address(address: str) -> tuple[str, str]:
    """The scheme, or BARE, and what the provider itself calls the address."""
    scheme, colon, rest = address.partition(":")
    return (scheme, rest) if colon and scheme in SCHEMES else (BARE, address)


def is_of_whatsapp(address: str) -> bool:
    """Whether it is a number on WhatsApp, and none for texts."""
    return address.startswith(f"{WHATSAPP}:")
