"""The people of the demo: what `contacts` and `preferences` say of each, in documented JSON."""

from collections.abc import Sequence
from random import Random
from typing import Any

Record = dict[str, Any]

PLACES = (
    ("America/New_York", "en-US", "+1212", 14),
    ("America/Los_Angeles", "en-US", "+1310", 10),
    ("America/Sao_Paulo", "pt-BR", "+5511", 9),
    ("America/Mexico_City", "es-MX", "+52551", 6),
    ("America/St_Johns", "en-CA", "+1709", 2),
    ("Europe/London", "en-GB", "+4420", 8),
    ("Europe/Berlin", "de-DE", "+4930", 8),
    ("Europe/Paris", "fr-FR", "+3314", 6),
    ("Europe/Kyiv", "uk-UA", "+38044", 3),
    ("Africa/Lagos", "en-NG", "+234802", 7),
    ("Africa/Cairo", "ar-EG", "+2022", 4),
    ("Asia/Dubai", "ar-AE", "+9714", 3),
    ("Asia/Kolkata", "hi-IN", "+9122", 12),
    ("Asia/Kathmandu", "ne-NP", "+9771", 2),
    ("Asia/Jakarta", "id-ID", "+6221", 6),
    ("Asia/Tokyo", "ja-JP", "+8130", 6),
    ("Australia/Lord_Howe", "en-AU", "+6126", 1),
    ("Pacific/Auckland", "en-NZ", "+6490", 2),
    ("Pacific/Chatham", "en-NZ", "+6433", 1),
)
"""IANA zone, locale, how phone numbers begin, and how many people live there, relatively."""
DEVICES = (0, 1, 2, 3)
DEVICE_WEIGHTS = (6, 66, 21, 7)
QUIET_HOURS = (("22:00", "07:00"), ("23:30", "06:30"), ("21:00", "08:00"), ("13:00", "14:30"))
"""Most cross midnight; one is a nap."""


def contacts(user: str, number: int, random: Random) -> Record:
    """Where to reach `user`, the `number`-th of the world: nobody shares an address."""
    zone, locale, dialling, _ = random.choices(PLACES, WEIGHTS)[0]
    count = random.choices(DEVICES, DEVICE_WEIGHTS)[0]
    record: Record = {
        "user": user,
        "devices": [
            {"token": f"{random.getrandbits(256):064x}:{user}:{device}", "platform": "fcm"}
            for device in range(count)
        ],
        "zone": zone,
        "locale": locale,
    }
    if random.random() < 0.92:
        record["email"] = f"{user}@mail.example"
    if random.random() < 0.70:
        record["phone"] = f"{dialling}{1_000_000 + number}"
    suppressed = _suppressed(record, random)
    return record | {"suppressed": suppressed} if suppressed else record


def preferences(user: str, random: Random) -> Record | None:
    """What `user` wants, None for the many who never touched their settings."""
    channels: dict[str, bool] = {}
    if random.random() < 0.25:
        channels["sms"] = True
    if random.random() < 0.03:
        channels["push"] = False
    if random.random() < 0.10:
        channels["email"] = False
    categories: dict[str, dict[str, bool]] = {}
    if random.random() < 0.15:
        categories["social"] = {"push": False}
    if random.random() < 0.02:
        categories["chat"] = {"push": False, "inapp": random.random() < 0.5}
    if random.random() < 0.01:
        categories["rides"] = {"push": False}
    record: Record = {"channels": channels, "categories": categories}
    if random.random() < 0.12:
        start, end = random.choice(QUIET_HOURS)
        record["quiet_hours"] = [{"start": start, "end": end}]
    record["frequency"] = _frequency(user)
    said = {field: value for field, value in record.items() if value}
    return {"user": user} | said if said else None


def _frequency(user: str) -> dict[str, str]:
    """How often a few want to hear of posts and comments; by their name, and no other draw."""
    roll = Random(user).random()  # noqa: S311 - repeatable, not secret
    if roll < 0.04:
        return {"social": "hourly"}
    return {"comments": "daily"} if roll < 0.06 else {}


def addresses(record: Record, channel: str) -> tuple[str, ...]:
    """The addresses that a `contacts` record gives for a channel; in-app, the user."""
    match channel:
        case "push":
            return tuple(device["token"] for device in record["devices"])
        case "email":
            return (record["email"],) if "email" in record else ()
        case "sms":
            return (record["phone"],) if "phone" in record else ()
        case _:
            return (record["user"],)


def _suppressed(record: Record, random: Random) -> list[str]:
    chance = random.random()
    if chance < 0.015 and "email" in record:
        return [record["email"]]
    if 0.015 <= chance < 0.020 and "phone" in record:
        return [record["phone"]]
    if 0.020 <= chance < 0.025 and record["devices"]:
        return [record["devices"][0]["token"]]
    return []


def _weights(places: Sequence[tuple[str, str, str, int]]) -> list[int]:
    return [people for _, _, _, people in places]


WEIGHTS = _weights(PLACES)
