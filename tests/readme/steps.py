"""What README's blocks and commands are to do, and which can't be run here, and why."""

import pytest

from tests.readme.shell import Ended
from tests.readme.walk import Step, Walk, decoded, says, says_in_time

NOT_RUN = {
    "producers ── events": "a drawing",
    "make demo": "it builds .venv, which is linked here; tests/demo and the Makefile run the rest",
    "make test": "it is this",
    "tocsin up": "it runs beside the others, see tests/readme/up.py",
    "export TOCSIN_KAFKA=": "the dots stand for servers of one's own",
    "tocsin setup": "on servers of one's own; tests/analytics and tests/pipeline run it",
    "tocsin worker": "on servers of one's own; tests/chaos runs it",
    "tocsin web": "on servers of one's own; tests/web runs it",
}
"""By the beginning of a block or a command."""


def _nothing(_: Walk, ended: Ended) -> None:
    assert ended == (0, "", "")


def _two_messages(_: Walk, ended: Ended) -> None:
    taken = [decoded(line) for line in ended.output.splitlines()]
    assert sorted((each["channel"], each["address"]) for each in taken) == [
        ("email", "ada@example.com"),
        ("push", "ada-phone"),
    ]


def _channels(_: Walk, ended: Ended) -> None:
    rows = [line.split("│")[1:5] for line in ended.output.splitlines() if "│" in line]
    cells = {tuple(cell.strip() for cell in row) for row in rows}
    assert {
        ("sms", "suppressed", "no_address", ""),
        ("push", "sent", "", "fcm"),
        ("email", "sent", "", "sendgrid"),
    } <= cells


def _key(walk: Walk, ended: Ended) -> None:
    assert (ended.code, ended.output) == (0, "")
    assert walk.shell.value("KEY").startswith("tocsin_")


def _answer(_: Walk, ended: Ended) -> None:
    assert list(decoded(ended.output)["notifications"]) == ["ada"]


def _position(walk: Walk, ended: Ended) -> None:
    assert (ended.code, ended.output) == (0, "")
    assert walk.shell.value("POSITION") == decoded(walk.shell.value("SENT"))["position"]


def _inbox(walk: Walk, ended: Ended) -> None:
    """An answer has it, as it waits for the position; on a busy machine it may be asked again."""
    assert ended.code == 0
    found = decoded(ended.output)
    sent = decoded(walk.shell.value("SENT"))["notifications"]["ada"]
    items = [item["notification_id"] for item in found["items"]]
    if (items, found["counts"]["unread"]) != ([sent], 1):
        pytest.fail(f"the inbox is answered without what was sent before: {found}")


def _token(walk: Walk, ended: Ended) -> None:
    token = decoded(ended.output)["token"]
    assert token.count(".") == 2
    walk.shell.run(f"TOKEN='{token}'")


def _reconciled(_: Walk, ended: Ended) -> None:
    assert ended.code == 0
    assert "Nothing is lost, and nothing counts twice." in ended.output


WALKED = {
    ". .venv/bin/activate": Step(_nothing),
    "python emit.py": Step(_nothing),
    "grep ada": Step(_two_messages, comes_in_time=True),
    "tocsin day --user ada": says_in_time(
        "order_shipped to ada", "suppressed            no_address", "sent        fcm"
    ),
    'curl -s http://127.0.0.1:8123 -d "SELECT channel': Step(_channels, comes_in_time=True),
    "KEY=$(tocsin keys create shop)": Step(_key),
    "SENT=$(curl": Step(_nothing),
    'echo "$SENT"': Step(_answer),
    "POSITION=$(expr": Step(_position),
    "curl -fsS --retry 5": Step(_inbox, comes_in_time=True),
    "curl -s -X POST http://127.0.0.1:8090/v1/users/ada/token": Step(_token),
    "tocsin catalogue check": says("13 types, 12 events, version "),
    "tocsin preview order_shipped --locale de": says("Ihre Bestellung ist unterwegs"),
    "tocsin reconcile --from 2h": Step(_reconciled, comes_in_time=True),
    "tocsin experiment order_shipped": says("order_shipped has no experiment"),
    "tocsin dead-letters list": says("There are no dead letters."),
    "tocsin frontiers decider": says("frontiers of decider are where they can be."),
    "tocsin explain --event": says("for ann of tenant acme", "not sent  all  expired"),
    "tocsin replay --from 2h": says("No difference: ", "Nothing was sent."),
    "tocsin hints": says("Wrote the best hours of "),
    "tocsin keys list": says("shop  default"),
}
"""Commands by their beginning."""
