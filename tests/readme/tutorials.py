"""What the tutorials' commands are to show; they are walked after README, in the same folder."""

from pathlib import Path

from tests.readme.blocks import Block, blocks_of, commands_of
from tests.readme.shell import ROOT, Ended
from tests.readme.up import with_ports
from tests.readme.walk import Step, Walk, decoded, says, says_in_time

FOLDER = ROOT / "docs" / "tutorials"
PAGES = ("producer", "analyst", "operator")
"""In this order: each goes on with what the one before it left."""


def _sets(name: str) -> Step:
    def look(walk: Walk, ended: Ended) -> None:
        assert (ended.code, ended.output) == (0, "")
        assert walk.shell.value(name)

    return Step(look)


def _nothing(_: Walk, ended: Ended) -> None:
    assert (ended.code, ended.output) == (0, "")


def _accepted(_: Walk, ended: Ended) -> None:
    assert decoded(ended.output)["position"].startswith("events/")


def _refused(_: Walk, ended: Ended) -> None:
    problem = decoded(ended.output)
    assert problem["status"] == 400
    assert "`type`" in problem["errors"][0]["detail"]


WALKED: dict[str, dict[str, Step]] = {
    "producer": {
        ". .venv/bin/activate": Step(_nothing),
        "tocsin catalogue check": says("14 types, 13 events"),
        "tocsin preview parcel_delayed": says("Your parcel is late", "arrive on day"),
        "python late.py": Step(_nothing),
        "tocsin day --user grace": says_in_time("no_address", "sent        fcm"),
        "sed 's/parcel": Step(_nothing),
        "python lost.py": Step(_nothing),
        "tocsin dead-letters list": says_in_time("unknown_type"),
        "KEY=$(tocsin keys create parcels)": _sets("KEY"),
        'curl -s http://127.0.0.1:8090/v1/events -H "Authorization: Bearer $KEY" \\\n'
        '  -H \'Content-Type: application/json\' -d \'{"id": "parcel-3"': Step(_accepted),
        'curl -s http://127.0.0.1:8090/v1/events -H "Authorization: Bearer $KEY" \\\n'
        '  -H \'Content-Type: application/json\' -d \'{"id": "parcel-4"': Step(_refused),
    },
    "analyst": {
        ". .venv/bin/activate": Step(_nothing),
        'curl -s http://127.0.0.1:8123 -d "SELECT type, channel, decided': says_in_time(
            "parcel_delayed"
        ),
        'curl -s http://127.0.0.1:8123 -d "SELECT type, channel, reason': says_in_time("duplicate"),
        "tocsin day --user grace": says("duplicate: of events/"),
        'curl -s http://127.0.0.1:8123 -d "SELECT at': says("no_address"),
        "ID=$(tocsin day": _sets("ID"),
        "tocsin timeline $ID": says("parcel_delayed to grace"),
        'curl -s http://127.0.0.1:8123 -d "SELECT priority': says("normal"),
        "tocsin reconcile --from 2h": says_in_time("Nothing is lost, and nothing counts twice."),
    },
    "operator": {
        ". .venv/bin/activate": Step(_nothing),
        "OPS=$(tocsin keys create duty": _sets("OPS"),
        "curl -s http://127.0.0.1:8090/v1/operations": says('"lag":', '"circuits":'),
        "tocsin dead-letters list": says("unknown_type"),
        "ID=$(tocsin dead-letters list": _sets("ID"),
        "tocsin dead-letters show $ID": says("no notification type for 'parcel.lost'")._replace(
            is_wide=True
        ),
        "tocsin catalogue check": says("15 types, 14 events"),
        "tocsin dead-letters replay $ID": says("Sent 1 records again."),
        "tocsin day --user grace": says_in_time("parcel_lost to grace", "push  sent    fcm"),
        "tocsin explain --event": says("for ann of tenant acme"),
        "tocsin replay --from 2h": says("No difference: "),
        "tocsin frontiers router": says("frontiers of router are where they can be."),
        "tocsin frontiers decider": says("frontiers of decider are where they can be."),
        "tocsin setup --dry-run": says("0 new topics", "Nothing was changed."),
    },
}
"""By page, commands by their beginning."""


def blocks(page: str) -> list[Block]:
    """The blocks of a tutorial."""
    return blocks_of((FOLDER / f"{page}.md").read_text("utf-8"))


def unmatched(page: str) -> list[str]:
    """Commands that no step is for, and steps of no command."""
    steps = WALKED[page]
    used, found = set(), []
    for block in blocks(page):
        for command in commands_of(block) if not block.language else ():
            begins = [beginning for beginning in steps if command.text.startswith(beginning)]
            used.update(begins)
            found += [command.text] * (len(begins) != 1)
    return [*found, *(steps.keys() - used)]


def walk_all(walk: Walk) -> None:
    """Each tutorial, line by line; a block that begins with a file's name is that file."""
    for page in PAGES:
        for block in blocks(page):
            if block.language in ("toml", "python"):
                file = Path(walk.folder, block.first.removeprefix("# "))
                file.write_text(with_ports(block.text, walk.ports) + "\n")
            elif not block.language:
                for command in commands_of(block):
                    (step,) = (
                        step
                        for beginning, step in WALKED[page].items()
                        if command.text.startswith(beginning)
                    )
                    walk.step(step, command, FOLDER / f"{page}.md")
