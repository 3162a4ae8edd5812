"""What workers say of themselves by their metrics."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping

import aiohttp
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from embedded.process import LOOPBACK
from schemas.errors import Unavailable

SLICES, RECORDS, REQUESTS = (
    "tocsin_slice_seconds_count",
    "tocsin_records_total",
    "tocsin_kafka_requests_total",
)
TIMEOUT = aiohttp.ClientTimeout(total=30)


class Work(Struct, frozen=True):
    """Slices and records by role, and requests to brokers by API key, since the process began."""

    slices: Counter[str]
    records: Counter[str]
    requests: Counter[str]

    def __sub__(self, before: "Work") -> "Work":
        return Work(
            self.slices - before.slices,
            self.records - before.records,
            self.requests - before.requests,
        )


def work_of(texts: Iterable[str]) -> Work:
    """The sum over processes, from what each one's metrics say."""
    work = Work(Counter(), Counter(), Counter())
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                count = round(sample.value)
                if sample.name == SLICES:
                    work.slices[sample.labels["role"]] += count
                elif sample.name == RECORDS:
                    work.records[sample.labels["role"]] += count
                elif sample.name == REQUESTS:
                    work.requests[sample.labels["api"]] += count
    return work


async def scrape(ports: Mapping[str, int]) -> Work:
    """Ask every process at its port; raises Unavailable for one that does not answer."""
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:

        async def text_of(name: str, port: int) -> str:
            try:
                async with session.get(f"http://{LOOPBACK}:{port}/metrics") as answer:
                    return await answer.text()
            except (aiohttp.ClientError, TimeoutError) as error:
                raise Unavailable(
                    f"The process {name} did not answer for its metrics at port {port} ({error!r})."
                ) from error

        texts = await asyncio.gather(*(text_of(*each) for each in ports.items()))
    return work_of(texts)
