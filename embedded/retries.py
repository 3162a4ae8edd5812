"""What waits in a house's workers to be tried again, as their metrics say."""

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from embedded.local_stack import LocalStack
from embedded.process import LOOPBACK

ROLE = "retry"
NAME = "tocsin_retries_waiting"
TIMEOUT = aiohttp.ClientTimeout(total=30)
UNKNOWN = 1
"""While the process does not answer: something may wait."""


async def retries_waiting(house: LocalStack) -> int:
    """How many deliveries wait; 0 in a house without that role."""
    if ROLE not in house.roles:
        return 0
    url = f"http://{LOOPBACK}:{house.worker_of(ROLE).metrics_port}/metrics"
    try:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session, session.get(url) as answer:
            text = await answer.text()
    except (aiohttp.ClientError, TimeoutError):
        return UNKNOWN
    return waiting_of(text)


def waiting_of(text: str) -> int:
    """The sum over the partitions of one process."""
    families = text_string_to_metric_families(text)
    samples = [sample for family in families for sample in family.samples]
    return round(sum(sample.value for sample in samples if sample.name == NAME))
