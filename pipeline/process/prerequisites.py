"""What a worker can't do without, found out before it loads all that it runs with.

Loading takes three quarters of the processor time of a start. Where Kafka is away every worker is
started again and again, and so kept it from coming back soon on the same machine.
"""

import socket
from ipaddress import ip_address
from pathlib import Path

from pipeline.kafka.brokers import Kafka, brokers_of
from pipeline.settings import Settings
from schemas.errors import Misconfigured, Unavailable

CONNECT_SECONDS = 2.0
"""After which a broker that neither takes a connection nor refuses it is left to the client."""


def check_prerequisites(settings: Settings) -> None:
    """Raise what would keep any role from starting: Unavailable or Misconfigured."""
    check_folder(settings.data_dir)
    refuse_unguarded(settings)
    check_kafka_listens(settings.brokers)


def check_folder(folder: Path) -> None:
    """Make the state folder; raises Unavailable where it can't be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
    except OSError as error:
        raise Unavailable(
            f"The state folder {folder} can't be written ({error.strerror}). Nothing was started; "
            "make it writable, or set TOCSIN_DATA_DIR to a folder that is."
        ) from error


def check_prefix(folder: Path, prefix: str) -> None:
    """Note in the state folder whose names its state is of; raises Misconfigured for another's.

    Otherwise a worker would add another environment's state to its own. A folder without a note
    that was used before is of names without a prefix.
    """
    note = folder / ".prefix"
    if note.exists():
        found = note.read_text()
    else:
        found = "" if (folder / ".worker-name").exists() else prefix
        note.write_text(found)
    if found != prefix:
        raise Misconfigured(
            f"The state folder {folder} has state of TOCSIN_PREFIX={found or '(none)'}, and that "
            f"is {prefix or '(none)'} now. Nothing was started; set TOCSIN_DATA_DIR to a folder "
            "of this environment's own."
        )


def refuse_unguarded(settings: Settings) -> None:
    """Raise Misconfigured where anybody beyond this machine could ask what a worker knows."""
    if settings.signing_key.get_secret_value() or _is_loopback(settings.query_host):
        return
    raise Misconfigured(
        "TOCSIN_SIGNING_KEY is not set, and TOCSIN_QUERY_HOST is "
        f"{settings.query_host}: anybody who reaches it could read what is stored about any "
        "user. Nothing was started; set a key of 32 random characters or more, the same for "
        "every process, or leave TOCSIN_QUERY_HOST at 127.0.0.1."
    )


def check_kafka_listens(kafka: Kafka) -> None:
    """Raise Unavailable where every broker of the list refuses connections.

    Whatever else is wrong, such as a name that nobody knows, Kafka's client finds out.
    """
    for address in brokers_of(kafka).listed:
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
        except ConnectionRefusedError:
            continue
        except (OSError, ValueError):
            return
        return
    raise kafka_away(kafka)


def kafka_away(kafka: Kafka) -> Unavailable:
    """What to raise when a process that needs Kafka can't begin without it."""
    return Unavailable(
        f"Kafka does not answer at {kafka}. Nothing was read or lost; start it, or set "
        "TOCSIN_KAFKA to where it listens."
    )


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches it; of names, `localhost` alone is trusted to be."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
