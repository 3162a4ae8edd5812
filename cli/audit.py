"""Who did what with whose data by a command: on record before it is done, as requests are."""

import asyncio
import os
import pwd
import socket
from collections.abc import Mapping

from analytics.erasure import hash_of
from cli.time_parameter import now
from pipeline.producing.outputs import Outputs
from pipeline.producing.producer import start_producer
from pipeline.settings import Settings
from schemas.audit import Audit, Deed
from schemas.encoding import encode
from schemas.errors import Unavailable
from schemas.naming import LONGEST_NAME
from schemas.topics import AUDIT

ACK_SECONDS = 20.0
"""Seconds for an acknowledgement; somebody waits at a shell."""
PREFIX = "shell:"
"""Before a user of the operating system, where a key has its own name."""
DEFAULT_TENANT = "default"
"""Of what concerns all tenants."""


async def put_on_record(
    settings: Settings,
    deed: Deed,
    command: str,
    *,
    tenant: str = DEFAULT_TENANT,
    user: str = "",
    thing: str = "",
) -> None:
    """On return the broker has it. Raises Unavailable; then it must not be done.

    The user is named by a hash alone.
    """
    who = whose(_login(), socket.gethostname(), settings.kafka_user)
    done = Audit(
        at=now(),
        who=who,
        deed=deed,
        route=f"tocsin {command}",
        tenant=tenant,
        user_hash=hash_of(tenant, user) if user else "",
        thing=thing,
    )
    producer = await start_producer(settings.brokers)
    try:
        outputs = Outputs(producer)
        # There is always one, whatever a shell says of how many there are.
        outputs.add(AUDIT, 0, None, encode(done))
        async with asyncio.timeout(ACK_SECONDS):
            await outputs.flush()
    except TimeoutError:
        raise Unavailable(
            f"Kafka did not acknowledge within {ACK_SECONDS:g} s who runs this command, so it did "
            f"nothing. Where the topic {AUDIT.name} is missing, `tocsin setup` makes it."
        ) from None
    finally:
        await producer.stop()


def whose(login: str, host: str, principal: str) -> str:
    """Somebody at a shell: who of which machine, and as whom they log in to Kafka if as anybody.

    What Kafka itself can vouch for is the latter alone: whoever runs a program on a machine of
    their own may have any name there.
    """
    named = f"{PREFIX}{login}@{host}"
    found = f"{named} as {principal}" if principal else named
    return "".join(each for each in found if each.isprintable())[:LONGEST_NAME]


def login_of(name: str, environment: Mapping[str, str]) -> str:
    """Who is behind a user of this name: root may be somebody else by sudo, who is named too."""
    behind = environment.get("SUDO_USER", "")
    return f"{behind} by {name}" if behind and behind != name else name


def _login() -> str:
    try:
        # By the process, and not by a variable that anybody may set.
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"user {os.getuid()}"  # as in a container, where users have no names
    return login_of(name, os.environ)
