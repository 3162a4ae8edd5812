"""`/v1/users/…`: what is known of a user, and what they want."""

from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from policy.audience.audience import TOPIC
from policy.contact.reachable import usable_contacts
from policy.time.timestamps import moment
from policy.time.wall_clock import is_zone
from policy.user.user_view import Known
from schemas.erasure import Erasure
from schemas.errors import BadRecord
from schemas.follow import Follow
from schemas.profile import Block, Contacts, Device, DeviceChange, Preferences, ProfileChange
from schemas.topics import (
    BLOCKS,
    CONTACTS,
    DEVICES,
    ERASURES,
    FOLLOWS,
    PREFERENCES,
    PROFILE_CHANGES,
)
from web.api.call import Call
from web.api.keys import Scope
from web.api.problem import FieldError, Problem
from web.api.route import Handler, Reply, Route
from web.api.services import Services
from web.http.rate_limits import erasure_limit
from web.workers.position import Position

_USER = "/v1/users/{user}"
TAG = "Users"
Record = TypeVar("Record", bound=Struct)


def without_whom(kind: type[Struct], name: str) -> Any:
    """The same struct without user and tenant, which the path and the key tell.

    Nor `by`, which is this API.
    """
    fields = [
        (field.encode_name, field.type, field.default)
        if field.default_factory is msgspec.NODEFAULT
        else (field.encode_name, field.type, msgspec.field(default_factory=field.default_factory))
        for field in msgspec.structs.fields(kind)
        if field.name not in ("user", "tenant", "by")
    ]
    made = msgspec.defstruct(
        name, fields, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
    )
    made.__doc__ = kind.__doc__
    return made


ContactsBody = without_whom(Contacts, "ContactsBody")
PreferencesBody = without_whom(Preferences, "PreferencesBody")
ProfileChangeBody = without_whom(ProfileChange, "ProfileChangeBody")


class KnownQuery(Struct, frozen=True):
    """`position` is what writes answered, with commas between: what is read has them.

    `after` is its name of before.
    """

    position: str | None = None
    after: str | None = None


class Users:
    """The handlers."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The routes."""

        def route(
            verb: str,
            path: str,
            said: str,
            handler: Handler,
            name: str,
            body: Any = None,
            example: Any = None,
        ) -> Route:
            return Route(
                verb, _USER + path, Scope.USERS, said, handler, {202: Position}, body,
                name=name, tag=TAG, example=example,
            )  # fmt: skip

        follows, topics, blocks = "/follows/{followee}", "/topics/{topic}", "/blocks/{actor}"
        phone = {"token": "ada-phone", "platform": "fcm"}
        contacts = {"email": "ada@example.com", "devices": [phone], "zone": "Europe/Berlin"}
        wanted = {"categories": {"comments": {"push": False}}}
        return [
            Route(
                "GET", _USER, Scope.USERS, "What is stored about a user", self.read, {200: Known},
                None, KnownQuery, name="get_user", tag=TAG, deed="looked up",
            ),
            Route(
                "DELETE", _USER, Scope.ERASE, "Erase a user", self.erase, {202: Position},
                name="erase_user", tag=TAG, deed="erased",
            ),
            route(
                "PUT", "/contacts", "Where to reach a user", self.contacts, "put_contacts",
                ContactsBody, contacts,
            ),
            route(
                "POST", "/devices", "Add a device", self.add_device, "add_device", Device, phone
            ),
            route(
                "DELETE", "/devices", "Remove a device", self.remove_device, "remove_device",
                Device, phone,
            ),
            route(
                "PUT", "/preferences", "What a user wants", self.preferences, "put_preferences",
                PreferencesBody, wanted,
            ),
            route(
                "PATCH", "/preferences", "Change some of what a user wants", self.change,
                "change_preferences", ProfileChangeBody, wanted,
            ),
            route("PUT", follows, "Follow an actor", self.follow, "follow"),
            route("DELETE", follows, "Follow an actor no longer", self.unfollow, "unfollow"),
            route("PUT", topics, "Subscribe to a topic", self.subscribe, "subscribe"),
            route("PUT", blocks, "Block an actor", self.block, "block"),
            route("DELETE", blocks, "Block an actor no longer", self.unblock, "unblock"),
            route("DELETE", topics, "Unsubscribe from a topic", self.unsubscribe, "unsubscribe"),
        ]  # fmt: skip

    async def read(self, call: Call) -> Reply:
        """From the user's own partition."""
        query: KnownQuery = call.query
        position = ",".join(filter(None, (query.position, query.after)))
        return Reply(await self._desk.known(*call.whose, position))

    async def erase(self, call: Call) -> Reply:
        """All that is kept, here and in ClickHouse; what is in topics goes with their retention."""
        tenant, user = call.whose
        per_minute = self._desk.settings.tenant_erasures_per_minute
        headers = await self._desk.limits.require(erasure_limit(tenant, per_minute))
        said = Erasure(user=user, tenant=tenant)
        return Reply(await self._desk.write(ERASURES, said), 202, headers)

    async def contacts(self, call: Call) -> Reply:
        """Replace them."""
        contacts = self._said(call, Contacts)
        try:
            contacts, wrong = usable_contacts(contacts, self._desk.settings.private_endpoints)
            if wrong is not None:
                raise wrong
        except BadRecord as error:
            field, _, said = error.detail.partition(" ")
            pointer = "/" + field.replace("[", "/").rstrip("]")
            raise Problem(400, "", FieldError(pointer, said)) from None
        _check_zone(contacts.zone)
        return Reply(await self._desk.write(CONTACTS, contacts), 202)

    async def preferences(self, call: Call) -> Reply:
        """Replace them."""
        preferences = self._said(call, Preferences)
        return Reply(await self._desk.write(PREFERENCES, preferences), 202)

    async def change(self, call: Call) -> Reply:
        """What is not named stays as it is, also what others change at the same time."""
        change = self._said(call, ProfileChange)
        _check_zone(change.zone)
        return Reply(await self._desk.write(PROFILE_CHANGES, change), 202)

    async def add_device(self, call: Call) -> Reply:
        """Beside the others."""
        return await self._device(call, removed=False)

    async def remove_device(self, call: Call) -> Reply:
        """And leave the others."""
        return await self._device(call, removed=True)

    async def follow(self, call: Call) -> Reply:
        """From now on."""
        return await self._follow(call, call.path["followee"], following=True)

    async def unfollow(self, call: Call) -> Reply:
        """From now on."""
        return await self._follow(call, call.path["followee"], following=False)

    async def subscribe(self, call: Call) -> Reply:
        """From now on."""
        return await self._follow(call, TOPIC + call.path["topic"], following=True)

    async def unsubscribe(self, call: Call) -> Reply:
        """From now on."""
        return await self._follow(call, TOPIC + call.path["topic"], following=False)

    async def block(self, call: Call) -> Reply:
        """Nothing of what the actor does from now on; but for what is transactional."""
        return await self._block(call, blocked=True)

    async def unblock(self, call: Call) -> Reply:
        """From now on."""
        return await self._block(call, blocked=False)

    def _said(self, call: Call, kind: type[Record]) -> Record:
        said = msgspec.structs.asdict(call.body)
        if "by" in kind.__struct_fields__:
            said["by"] = "api"
        return kind(**said, user=call.path["user"], tenant=call.key.tenant)

    async def _device(self, call: Call, *, removed: bool) -> Reply:
        change = DeviceChange(
            user=call.path["user"], tenant=call.key.tenant, device=call.body, removed=removed
        )
        return Reply(await self._desk.write(DEVICES, change), 202)

    async def _block(self, call: Call, *, blocked: bool) -> Reply:
        said = Block(
            user=call.path["user"],
            actor=call.path["actor"],
            at=moment(self._desk.clock.now()),
            blocked=blocked,
            tenant=call.key.tenant,
        )
        return Reply(await self._desk.write(BLOCKS, said), 202)

    async def _follow(self, call: Call, followee: str, *, following: bool) -> Reply:
        if len(followee) > 200:
            raise Problem(400, "The name is too long.")
        said = Follow(
            follower=call.path["user"],
            followee=followee,
            at=moment(self._desk.clock.now()),
            following=following,
            tenant=call.key.tenant,
        )
        return Reply(await self._desk.route_all(FOLLOWS, [said]), 202)


def _check_zone(zone: str | None) -> None:
    if zone is not None and not is_zone(zone):
        raise Problem(400, "", FieldError("/zone", "is no IANA time zone"))
