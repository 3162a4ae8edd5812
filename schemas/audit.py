"""`audit` (no key): what people and programs did with others' data, by a key of the API."""

from typing import Literal

from msgspec import Struct

from schemas.event import Name

Deed = Literal["looked up", "exported", "erased", "replayed", "granted", "logged in", "logged out"]


class Audit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """At `at` (epoch ms) `who` did this: a key by its name, or `login:` and a person's.

    `user_hash` is of the user that it is about, and never the name, which an erasure would have to
    find here; `thing` is another id: of a notification, of a dead letter, or of what was granted or
    read.
    """

    at: int
    who: Name
    deed: str
    route: str
    tenant: Name = "default"
    user_hash: str = ""
    thing: str = ""
