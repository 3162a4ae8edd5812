"""Asks the workers that hold a partition what they know of a user."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from typing import Self, TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec
from msgspec import Struct

from pipeline.kafka.topic_following import following
from pipeline.process.queries import NO_QUESTION, NOT_HERE, SIGNATURE, signature
from pipeline.producing.outputs import partition_of
from pipeline.settings import Settings
from pipeline.tls import trusting
from schemas.errors import BadRecord, Unavailable
from schemas.question import Owner
from schemas.topics import INPUTS, OWNERS
from schemas.vocabulary import Reason

Answer = TypeVar("Answer")
ANSWER_TIMEOUT_SECONDS = 5.0
"""Seconds until a question that nobody answers is given up: a rebalance takes less."""
PAUSE = 0.05
log = logging.getLogger(__name__)
_decode = msgspec.json.Decoder(Owner).decode


class Owners:
    """Knows who holds which partition, by reading `owners` from its start and on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = settings.signing_key.get_secret_value().encode()
        self._urls: dict[tuple[str, int], str] = {}
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_SECONDS)
        )
        self._tls = trusting("TOCSIN_QUERY_CA_FILE", settings.query_ca_file)
        self._name = settings.query_certificate_name or None
        self._following = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._following.enter_async_context(self._session)
        reading = following(self._settings, OWNERS, self._note, from_start=True)
        await self._following.enter_async_context(reading)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._following.aclose()

    async def ask(
        self,
        role: str,
        user: str,
        question: Struct,
        kind: type[Answer],
        after: Mapping[str, int] | None = None,
    ) -> Answer:
        """What the role knows, answered where the user's partition is held.

        `after` are offsets by topic in that partition that must be done before; what the role does
        not read says nothing to it. Raises Unavailable where nobody answers in time, as while
        partitions move, and BadRecord where what is asked about can't be used.
        """
        return await self.ask_in(role, self.partition_of(user), question, kind, after)

    async def ask_in(
        self,
        role: str,
        partition: int,
        question: Struct,
        kind: type[Answer],
        after: Mapping[str, int] | None = None,
    ) -> Answer:
        """What the role knows in this partition; see `ask`."""
        answer = await self._ask(role, partition, msgspec.json.encode(question), after or {})
        return msgspec.json.decode(answer, type=kind)

    async def wait(self, role: str, partition: int, after: Mapping[str, int]) -> None:
        """Return once the role has done these offsets by topic in this partition.

        What the role does not read says nothing to it. Raises Unavailable as `ask` does.
        """
        await self._ask(role, partition, NO_QUESTION, after)

    async def _ask(
        self, role: str, partition: int, question: bytes, after: Mapping[str, int]
    ) -> bytes:
        read = {topic.name for topic in INPUTS[role]}
        awaited = {topic: offset for topic, offset in after.items() if topic in read}
        path = f"/{partition}?{urlencode(awaited)}" if awaited else f"/{partition}"
        end = time.monotonic() + ANSWER_TIMEOUT_SECONDS
        while time.monotonic() < end:
            url = self._urls.get((role, partition))
            answer = url and await self._post(url, path, question)
            if answer:
                return answer
            await asyncio.sleep(PAUSE)
        raise Unavailable(
            f"No {role} worker answers for partition {partition}"
            f"{', or none is as far as was asked' if awaited else ''}. Nothing was changed; start "
            "one, or wait until the partition has moved."
        )

    def partition_of(self, key: str) -> int:
        """The partition in which a key is."""
        return partition_of(key, self._settings.partitions)

    async def ask_once(
        self,
        role: str,
        partition: int,
        question: Struct,
        kind: type[Answer],
        timeout_seconds: float,
    ) -> Answer | None:
        """What the role answers at once; None where nobody is there who can, or not in time."""
        url = self._urls.get((role, partition))
        answer = b""
        if url is not None:
            # A worker that can't use the question is one of an older version.
            with suppress(TimeoutError, BadRecord, RuntimeError):
                async with asyncio.timeout(timeout_seconds):
                    answer = await self._post(url, f"/{partition}", msgspec.json.encode(question))
        return msgspec.json.decode(answer, type=kind) if answer else None

    async def ask_each(
        self, role: str, question: Struct, kind: type[Answer]
    ) -> dict[str, Answer | None]:
        """What each process of a role answers by its URL; None of those that do not answer."""
        held = {url: number for (name, number), url in self._urls.items() if name == role}
        body = msgspec.json.encode(question)
        answers = await asyncio.gather(
            *(self._post(url, f"/{number}", body) for url, number in held.items())
        )
        return {
            url: msgspec.json.decode(answer, type=kind) if answer else None
            for url, answer in zip(held, answers, strict=True)
        }

    async def _post(self, url: str, path: str, body: bytes) -> bytes:
        headers = {SIGNATURE: signature(self._key, path, body)}
        try:
            async with self._session.post(
                url + path, data=body, headers=headers, ssl=self._tls, server_hostname=self._name
            ) as response:
                read = await response.read()
        except aiohttp.ClientConnectorCertificateError as error:
            log.warning(
                "%s is not trusted (%s); TOCSIN_QUERY_CA_FILE names who may vouch for workers, "
                "and TOCSIN_QUERY_CERTIFICATE_NAME what their certificates name.",
                url,
                error.certificate_error,
            )
            return b""
        except (aiohttp.ClientError, TimeoutError):
            return b""
        if response.status in (NOT_HERE, 503):
            return b""
        if response.status == 422:
            raise BadRecord(Reason.INVALID, read.decode())
        if response.status != 200:
            raise RuntimeError(f"a worker answered {response.status}: {read[:200]!r}")
        return read

    def _note(self, value: bytes) -> None:
        owner = _decode(value)
        self._urls[owner.role, owner.partition] = owner.url
