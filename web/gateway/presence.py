"""Tells the decider who has the app open, with an end in case that we can't tell more."""

import asyncio
import contextlib
import logging

from policy.time.timestamps import moment
from schemas.errors import Unavailable
from schemas.profile import Presence
from schemas.topics import PRESENCE
from web.api.services import Services
from web.gateway.token import Subscriber

RENEW = 60.0
"""Seconds after which the end is put off."""
HOLDS_MS = 150_000
"""How long somebody counts as online after a process of ours was killed."""
log = logging.getLogger(__name__)


class PresenceTracker:
    """The devices that are connected to this process."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk
        self._connected: dict[tuple[Subscriber, str], int] = {}
        self._renewing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to renew."""
        self._renewing = asyncio.create_task(self._renew())

    async def close(self) -> None:
        """Say that everybody left."""
        if self._renewing is not None:
            self._renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._renewing
        gone = list(self._connected)
        self._connected.clear()
        await self._say(gone, online=False)

    async def came(self, subscriber: Subscriber, device: str) -> None:
        """A device connected."""
        place = subscriber, device
        self._connected[place] = self._connected.get(place, 0) + 1
        if self._connected[place] == 1:
            await self._say([place], online=True)

    async def went(self, subscriber: Subscriber, device: str) -> None:
        """A device's connection ended; it is offline with its last one."""
        place = subscriber, device
        left = self._connected.get(place, 0) - 1
        if left > 0:
            self._connected[place] = left
        elif self._connected.pop(place, None) is not None:
            await self._say([place], online=False)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW)
            await self._say(list(self._connected), online=True)

    async def _say(self, places: list[tuple[Subscriber, str]], *, online: bool) -> None:
        until = moment(self._desk.clock.now() + (HOLDS_MS if online else 0))
        try:
            await self._desk.write_all(
                PRESENCE,
                (
                    Presence(user=user, tenant=tenant, device=device, online=online, until=until)
                    for (tenant, user), device in places
                ),
            )
        except Unavailable as error:
            # A socket is worth more than its presence, which ends by itself.
            log.warning("Presence was not reported: %s", error)
