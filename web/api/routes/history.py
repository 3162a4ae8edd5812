"""What happened: a notification's timeline, a user's day, and what nobody could use."""

import datetime
from base64 import b64encode

import msgspec
from msgspec import Struct

from analytics.timeline import Happening, day_of, timeline
from pipeline.records.dead_letter_reading import send_again
from policy.time.timestamps import moment, timestamp
from schemas.dead_letter import DeadLetter
from schemas.event import Name, Timestamp
from schemas.vocabulary import Reason
from web.api.call import Call
from web.api.keys import Scope
from web.api.problem import Problem, ProblemBody
from web.api.route import Reply, Route
from web.api.services import Services
from web.workers.letters import find

MOST_LETTERS = 1000
TAG, OPERATIONS = "History", "Operations"


class DayQuery(Struct, frozen=True):
    """The day in UTC; today unless given."""

    date: datetime.date | None = None


class LettersQuery(Struct, frozen=True):
    """Only those with this reason, from this topic."""

    reason: str | None = None
    topic: str | None = None


class Letter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A dead letter: a record that could not be used, why, and where it came from.

    `key`, `value` and the second of each pair in `headers` are bytes in base64. With `truncated`
    they are not all there was: a replay reads the record itself again. `accepted_at` is when
    Kafka took the record; letters of before do not say. `source` names what of the catalogue reads
    the topic, where that is a company's own.
    """

    id: str
    reason: Reason
    detail: str
    role: str
    topic: str
    partition: int
    offset: int
    at: Timestamp
    key: bytes | None = None
    value: bytes | None = None
    headers: list[list[str]] = []
    truncated: bool = False
    accepted_at: Timestamp | None = None
    source: str = ""


class ReplayBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which: all with this reason, from this topic, or both; one of them must be said."""

    reason: Name | None = None
    topic: Name | None = None


class Replayed(Struct, frozen=True):
    """How many records were sent again, and how many are gone or too large to be written."""

    replayed: int
    gone: int


class History:
    """The handlers."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The routes."""
        letters = "/v1/dead-letters"
        return [
            Route(
                "GET", "/v1/notifications/{id}", Scope.READ, "A notification's timeline",
                self.timeline, {200: list[Happening], 404: ProblemBody},
                name="get_timeline", tag=TAG, deed="looked up",
            ),
            Route(
                "GET", "/v1/users/{user}/day", Scope.READ, "What a user was sent on a day, or not",
                self.day, {200: list[Happening]}, None, DayQuery, name="get_day", tag=TAG,
                deed="looked up",
            ),
            Route(
                "GET", letters, Scope.OPERATE, "Records that could not be used, the newest last",
                self.letters, {200: list[Letter]}, None, LettersQuery,
                name="list_dead_letters", tag=OPERATIONS, deed="looked up",
            ),
            Route(
                "POST", f"{letters}/{{id}}/replay", Scope.OPERATE, "Send a record again",
                self.replay, {200: Replayed, 404: ProblemBody},
                name="replay_dead_letter", tag=OPERATIONS, deed="replayed",
            ),
            Route(
                "POST", f"{letters}/replay", Scope.OPERATE, "Send all records of a kind again",
                self.replay_all, {200: Replayed}, ReplayBody,
                name="replay_dead_letters", tag=OPERATIONS, example={"reason": "render_failed"},
                deed="replayed",
            ),
        ]  # fmt: skip

    async def timeline(self, call: Call) -> Reply:
        """From ClickHouse; what just happened is there within seconds."""
        found = await timeline(self._desk.clickhouse, call.key.tenant, call.path["id"])
        if not found:
            raise Problem(404, "There is no such notification, or not yet.")
        return Reply(found)

    async def day(self, call: Call) -> Reply:
        """From ClickHouse."""
        day = call.query.date or moment(self._desk.clock.now()).date()
        return Reply(await day_of(self._desk.clickhouse, *call.whose, day))

    async def letters(self, call: Call) -> Reply:
        """Of all tenants: a record that can't be read has none."""
        query: LettersQuery = call.query
        found = await find(self._desk.settings, reason=query.reason, topic=query.topic)
        return Reply(list(map(_shown, found[-MOST_LETTERS:])))

    async def replay(self, call: Call) -> Reply:
        """To the topic it came from."""
        found = await find(self._desk.settings, letter_id=call.path["id"])
        if not found:
            raise Problem(404, "There is no such dead letter.")
        return Reply(Replayed(*await send_again(self._desk.settings, found)))

    async def replay_all(self, call: Call) -> Reply:
        """To the topics they came from; what was sent before is not sent twice."""
        body: ReplayBody = call.body
        if body.reason is None and body.topic is None:
            raise Problem(400, "Say which: a reason, a topic or both. Nothing was sent.")
        found = await find(self._desk.settings, reason=body.reason, topic=body.topic)
        done, gone = await send_again(self._desk.settings, found) if found else (0, 0)
        return Reply(Replayed(done, gone))


def _shown(letter: DeadLetter) -> Letter:
    headers = [[name, b64encode(value).decode()] for name, value in letter.headers]
    fields = msgspec.structs.asdict(letter)
    times = {"at": timestamp(letter.at), "accepted_at": None}
    if letter.accepted_at:
        times["accepted_at"] = timestamp(letter.accepted_at)
    return Letter(**{**fields, **times, "headers": headers})
