"""Classes of destinations for analysts: enough to see where messages fail, never an address.

A mailbox provider by the domains that it is known to give to everybody; any other domain may name
a person, so it is `other`. A phone number is the country and the kind of network that its digits
name; a number that was ported keeps its kind, and its carrier can't be known from digits.
"""

from urllib.parse import urlsplit

import msgspec

from policy.contact.address import BARE, WHATSAPP, split_address
from schemas.vocabulary import Channel

OTHER = "other"
_MAILBOXES = {
    "gmail": ("gmail.com", "googlemail.com"),
    "microsoft": ("outlook.*", "hotmail.*", "live.*", "msn.com", "windowslive.com"),
    "yahoo": ("yahoo.*", "ymail.com", "rocketmail.com", "myyahoo.com"),
    "yahoo japan": ("yahoo.co.jp", "ymail.ne.jp"),
    "aol": ("aol.*", "aim.com"),
    "apple": ("icloud.com", "me.com", "mac.com", "privaterelay.appleid.com"),
    "proton": ("proton.me", "protonmail.com", "pm.me"),
    "fastmail": ("fastmail.com", "fastmail.fm"),
    "zoho": ("zoho.com", "zohomail.com", "zohomail.eu"),
    "gmx": ("gmx.*",),
    "web.de": ("web.de",),
    "t-online": ("t-online.de", "magenta.de"),
    "freenet": ("freenet.de",),
    "orange": ("orange.fr", "wanadoo.fr"),
    "free": ("free.fr",),
    "laposte": ("laposte.net",),
    "libero": ("libero.it",),
    "seznam": ("seznam.cz", "email.cz"),
    "onet": ("onet.pl", "op.pl", "vp.pl"),
    "wp": ("wp.pl", "o2.pl"),
    "mail.ru": ("mail.ru", "bk.ru", "inbox.ru", "list.ru"),
    "yandex": ("yandex.*", "ya.ru"),
    "qq": ("qq.com", "foxmail.com"),
    "netease": ("163.com", "126.com", "yeah.net"),
    "naver": ("naver.com",),
    "comcast": ("comcast.net",),
    "att": ("att.net", "sbcglobal.net", "bellsouth.net"),
    "btinternet": ("btinternet.com",),
}
_BY_DOMAIN = {
    domain: name for name, domains in _MAILBOXES.items() for domain in domains if "*" not in domain
}
_BY_BRAND = {
    domain.removesuffix(".*"): name
    for name, domains in _MAILBOXES.items()
    for domain in domains
    if domain.endswith(".*")
}
_ENDINGS = (2, 3)
"""Characters of what may stand behind a brand: a country or `com`, with `co` or `com` before it."""
_PUSH_HOSTS = {
    "fcm.googleapis.com": "web fcm",
    "android.googleapis.com": "web fcm",
    "updates.push.services.mozilla.com": "web mozilla",
    "web.push.apple.com": "web apple",
}
_WINDOWS = ".notify.windows.com"


def destination_class(channel: Channel, address: str) -> str:
    """The class of an address, such as `gmail`, `DE mobile`, `apns` or `slack`.

    Empty where a channel has no classes: an inbox is ours, and a webhook's host is its user's.
    """
    match channel:
        case Channel.EMAIL:
            return _mailbox(address)
        case Channel.SMS:
            return _number(address)
        case Channel.PUSH:
            return _push(address)
        case Channel.CHAT:
            scheme, rest = split_address(address)
            return f"{WHATSAPP} {_number(rest)}" if scheme == WHATSAPP else scheme or OTHER
        case _:
            return ""


def _mailbox(address: str) -> str:
    domain = address.rpartition("@")[2].lower()
    if found := _BY_DOMAIN.get(domain):
        return found
    brand, _, ending = domain.partition(".")
    parts = ending.split(".")
    is_public = len(parts[-1]) in _ENDINGS and parts[:-1] in ([], ["co"], ["com"])
    return _BY_BRAND.get(brand, OTHER) if is_public else OTHER


def _push(address: str) -> str:
    scheme, rest = split_address(address)
    if scheme != "web":
        return "fcm" if scheme == BARE else scheme
    try:
        host = urlsplit(msgspec.json.decode(rest)["endpoint"]).hostname or ""
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return "web other"
    return "web windows" if host.endswith(_WINDOWS) else _PUSH_HOSTS.get(host, "web other")


def _number(number: str) -> str:
    # Numbering plans take 20 MiB, which most channels need not have.
    from policy.contact.number_plan import class_of

    return class_of(number) or OTHER
