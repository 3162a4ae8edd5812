"""What README's prose says one may run or open, and what one sees then."""

import time
import urllib.request
from collections.abc import Callable

from schemas.errors import ExitCode
from tests.readme.blocks import urls
from tests.readme.shell import Ended
from tests.readme.up import with_ports
from tests.readme.walk import EFFECT_SECONDS, Walk

IN_BLOCKS = (
    *("tocsin up", "tocsin web", "tocsin day --user ada"),
    *("tocsin worker router decider", "tocsin worker all"),
)
"""They are named again where README shows them, or the same of other roles, in a block."""


def run_all(walk: Walk) -> None:
    """Each command that the prose names, with something in the place of its capitals."""
    for command, look in INLINE.items():
        look(walk, command)


def open_all(walk: Walk, document: str) -> None:
    """Each page that the prose names is there."""
    token = walk.shell.value("TOKEN")
    for url in urls(document):
        with urllib.request.urlopen(with_ports(url, walk.ports).replace("TOKEN", token)) as page:  # noqa: S310 - ours
            assert page.status == 200
            assert page.read()


def ask_all(walk: Walk, questions: str) -> None:
    """Each question to ClickHouse has rows, once analytics has inserted them."""
    for question in filter(str.strip, questions.split(";")):
        end = time.monotonic() + EFFECT_SECONDS
        while not _rows(walk, question):
            assert time.monotonic() < end, f"no rows: {question}"
            time.sleep(0.2)


def _rows(walk: Walk, question: str) -> list[str]:
    address = f"http://127.0.0.1:{walk.ports[8123]}/"
    with urllib.request.urlopen(address, question.encode()) as answer:
        return str(answer.read(), "utf-8").splitlines()


def _made(ended: Ended) -> None:
    assert ended.code == 0
    assert ended.output.startswith("tocsin_")


def _key(walk: Walk, command: str) -> None:
    _made(walk.run(f"{command} another"))


def _operator(walk: Walk, command: str) -> None:
    ended = walk.run(command)
    _made(ended)
    header = f"Authorization: Bearer {ended.output.strip()}"
    url = f"http://127.0.0.1:{walk.ports[8090]}/v1/operations"
    assert walk.shell.run(
        f"curl -s -o /dev/null -w '%{{http_code}}' {url} -H '{header}'"
    ).output == ("200")


def _timeline(walk: Walk, _: str) -> None:
    """By the whole id that `tocsin day` shows, and by the beginning of it."""
    day = walk.shell.run("tocsin day --user ada").output
    whole = next(line.split()[0] for line in day.splitlines() if "order_shipped" in line)
    for given in (whole, whole[:12]):
        ended = walk.shell.run(f"tocsin timeline {given}")
        assert ended.code == 0
        assert f"{whole}  order_shipped to ada" in ended.output


def _export(walk: Walk, _: str) -> None:
    said = walk.run("tocsin export funnel --to told.parquet --json")
    assert '"view":"funnel"' in said.output


def _analyst(walk: Walk, command: str) -> None:
    ended = walk.run(command)
    assert ended.code == ExitCode.NO_PERMISSION
    assert "no account was created" in ended.errors


def _secret(walk: Walk, _: str) -> None:
    ended = walk.shell.run("tocsin webhooks secret --url https://shop.example.com/hook")
    assert ended.code == 0
    assert ended.output.startswith("whsec_")


def _rules(walk: Walk, command: str) -> None:
    ended = walk.run(command)
    assert ended.code == 0
    assert "--allow-principal User:tocsin --operation Read" in ended.output


INLINE: dict[str, Callable[[Walk, str], None]] = {
    "tocsin keys create": _key,
    "tocsin timeline ID": _timeline,
    "tocsin analyst NAME": _analyst,
    "tocsin export VIEW --to FILE": _export,
    "tocsin keys create ops --scope operate --scope read": _operator,
    "tocsin webhooks secret --url URL": _secret,
    "tocsin setup --acls User:tocsin": _rules,
}
