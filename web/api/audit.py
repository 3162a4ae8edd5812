"""Who did what with whose data: on record before it is done."""

from analytics.erasure import hash_of
from pipeline.clock import Clock
from pipeline.producing.outputs import Log, Outputs, partition_of
from schemas.audit import Audit, Deed
from schemas.encoding import encode
from schemas.topics import AUDIT
from web.api.call import Call
from web.api.keys import ApiKey
from web.workers.ack_timeout import in_time


class Trail:
    """Writes to the topic `audit`."""

    def __init__(self, producer: Log, partitions: int, clock: Clock) -> None:
        self._producer = producer
        self._partitions = partitions
        self._clock = clock

    async def note(self, call: Call, deed: Deed, route: str) -> None:
        """On return the broker has it. Raises Unavailable; then it must not be done."""
        key, user = call.key, user_of(call)
        user_hash = hash_of(key.tenant, user) if user else ""
        await self._write(key, deed, route, user_hash, call.path.get("id", ""))

    async def note_login(self, key: ApiKey, deed: Deed, route: str) -> None:
        """That somebody comes or goes, whom the API takes for this key; as `note`."""
        await self._write(key, deed, route)

    async def _write(
        self, key: ApiKey, deed: Deed, route: str, user_hash: str = "", thing: str = ""
    ) -> None:
        done = Audit(
            at=self._clock.now(),
            who=key.name,
            deed=deed,
            route=route,
            tenant=key.tenant,
            user_hash=user_hash,
            thing=thing,
        )
        outputs = Outputs(self._producer)
        outputs.add(AUDIT, partition_of(key.name, self._partitions), None, encode(done))
        await in_time(outputs.flush())


def user_of(call: Call) -> str:
    """Whom a request is about: the path names it, the body or the query; else empty."""
    if getattr(call.query, "by", "") == "user":
        return str(call.query.what)
    return call.path.get("user", "") or str(getattr(call.body, "user", ""))
