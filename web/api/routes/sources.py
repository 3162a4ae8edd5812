"""`/v1/sources/NAME`: records in a format of their own, by HTTP instead of Kafka."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import orjson
from msgspec import Struct
from msgspec.structs import replace

from pipeline.secret_file import Derived
from pipeline.settings import Settings
from policy.source.decoding import RegistryUnavailable
from policy.source.envelopes import BATCH, STRUCTURED
from policy.source.record import Mapped, Outcome, Refused, Skipped, SourceRecord
from policy.source.source import Source
from policy.source.usable import judged
from schemas.errors import Misconfigured
from schemas.event import Event
from schemas.topics import INTO
from web.api.call import Call, Sent
from web.api.keys import ApiKey, Scope, SourceKey
from web.api.problem import FieldError, Problem, ProblemBody
from web.api.route import Reply, Route
from web.api.services import Services
from web.api.signatures import is_signed
from web.workers.position import written

MOST = 1000
"""Events in one batch."""
_PER_MINUTE = 6000
"""Signed requests of one source, in all web processes together."""
_SECRET = ("authorization", "cookie")
_EXAMPLE = {"op": "u", "before": {"status": "paid"}, "after": {"id": 7, "status": "shipped"}}


class SourceBody(Struct):
    """A record as its sender writes it: the source of the catalogue says what it means."""


class Sourced(Struct, frozen=True, kw_only=True):
    """What came of it: so many records are `taken`, and the others `skipped`, as the source says.

    `ids` are those of events. A read that is given `position`, which is empty where nothing is
    taken, waits until all are handled.
    """

    taken: int
    skipped: int
    ids: list[str]
    position: str


def secrets_of(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """By source, the secrets that its senders may sign with; raises Misconfigured."""
    return secrets_in(settings.source_secrets.get_secret_value())


def secrets_in(text: str) -> Mapping[str, tuple[str, ...]]:
    """The same of the setting's text; raises Misconfigured."""
    if not text:
        return {}
    try:
        found = msgspec.json.decode(text, type=dict[str, str | tuple[str, ...]])
    except msgspec.MsgspecError:
        raise Misconfigured(
            "TOCSIN_SOURCE_SECRETS is no JSON object of secrets by source, such as "
            '{"github": "…"}. Nothing was started.'
        ) from None
    return {name: (each,) if isinstance(each, str) else each for name, each in found.items()}


class Sources:
    """The handler."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk
        self._secrets = Derived(desk.settings, "source_secrets", secrets_in)

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                "POST", "/v1/sources/{source}", Scope.SEND, "Send a record in its own format",
                self.take, {202: Sourced, 404: ProblemBody, 422: ProblemBody}, SourceBody,
                name="send_record", tag="Sending", example=_EXAMPLE, sender=self.sender,
            ),
        ]  # fmt: skip

    async def take(self, call: Call) -> Reply:
        """202 once Kafka has what the source of the catalogue makes of it; 422 for a record that
        the source refuses.

        Takes JSON of any form, CloudEvents (structured, binary and in batches, of which all are
        taken or none), and webhooks: where the source names a `signature`, whoever has its secret
        may send without a key, for the tenant that the source says. With a key it is the key's.
        """
        source = self._source(call.path["source"])
        if source is None:
            raise Problem(404, "There is no such source in the catalogue.")
        outcomes = [
            await self._outcome(source, each) for each in _records(source, call.sent, self._now())
        ]
        errors = [
            FieldError(f"/{at}" if len(outcomes) > 1 else "", f"{each.reason}: {each.detail}")
            for at, each in enumerate(outcomes)
            if isinstance(each, Refused)
        ]
        if errors:
            raise Problem(422, "", *errors)
        values = [each.value for each in outcomes if isinstance(each, Mapped)]
        if not isinstance(call.key, SourceKey):
            values = [replace(each, tenant=call.key.tenant) for each in values]
        skipped = sum(isinstance(each, Skipped) for each in outcomes)
        ids = [each.id for each in values if isinstance(each, Event)]
        position = ""
        if values:
            position = written(await self._desk.write_all(INTO[source.into], values))
        said = Sourced(taken=len(values), skipped=skipped, ids=ids, position=position)
        return Reply(said, 202)

    def sender(self, path: Mapping[str, str], sent: Sent) -> ApiKey | None:
        """Who sends without a key: the source itself, whose secret has signed it."""
        source = self._source(path["source"])
        scheme = None if source is None else source.entry.signature
        if source is None or scheme is None:
            return None
        secrets = self._secrets.get().get(source.name, ())
        if not is_signed(scheme, secrets, sent.headers, sent.body, self._now()):
            return None
        return SourceKey(
            name=f"source {source.name}",
            sha256="",
            tenant="default",
            scopes=frozenset({Scope.SEND}),
            per_minute=_PER_MINUTE,
        )

    def _now(self) -> int:
        return self._desk.clock.now()

    def _source(self, name: str) -> Source | None:
        return self._desk.catalogues.current.sources.get(name)

    async def _outcome(self, source: Source, record: SourceRecord) -> Outcome:
        try:
            outcome = await source.outcome(record)
        except RegistryUnavailable as error:
            raise Problem(503, str(error), headers={"Retry-After": "5"}) from None
        catalogues = self._desk.catalogues
        if judged(outcome, catalogues.current) is outcome:
            return outcome
        await catalogues.refresh()
        return judged(outcome, catalogues.current)


def _records(source: Source, sent: Sent, now: int) -> Iterable[SourceRecord]:
    """The records of one request; raises Problem."""
    headers = {name: text for name, text in sent.headers.items() if name not in _SECRET}
    if sent.content_type != BATCH:
        return [_record(sent.body, headers, now)]
    if not source.is_cloud_event:
        raise Problem(415, f"{source.name} takes no batches of CloudEvents.")
    try:
        batch: Any = orjson.loads(sent.body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"It is not JSON: {error}.") from None
    if not isinstance(batch, list) or not 0 < len(batch) <= MOST:
        raise Problem(400, f"A batch is a list of 1 to {MOST} events.")
    headers["content-type"] = STRUCTURED
    return [_record(orjson.dumps(each), headers, now) for each in batch]


def _record(body: bytes, headers: Mapping[str, str], now: int) -> SourceRecord:
    given = tuple((name, text.encode(errors="replace")) for name, text in headers.items())
    return SourceRecord(value=body, timestamp=now, headers=given)
