"""`tocsin`: every command, its options, and errors as one sentence instead of a traceback."""

import logging
import sys
import traceback
from pathlib import Path

import click

from cli.lazy_group import LateGroup
from cli.settings import read_settings
from pipeline.monitoring.logs import say, set_up_logs
from pipeline.process.gc_tuning import collect_rarely
from pipeline.process.prerequisites import check_prerequisites
from schemas.errors import TocsinError, exit_code_of
from schemas.topics import ROLES

LAZY_COMMANDS = {
    "alerts": "alerts:alerts",
    "analyst": "analyst:analyst",
    "catalogue": "catalogue:catalogue",
    "check": "check:check",
    "day": "history:day",
    "dead-letters": "dead_letters:dead_letters",
    "experiment": "experiment:experiment",
    "explain": "explain:explain_command",
    "export": "export:export",
    "find": "find:find_command",
    "frontiers": "frontiers:frontiers",
    "hints": "hints:hints",
    "keys": "keys:keys",
    "preview": "preview:preview",
    "reconcile": "reconcile:reconcile",
    "replay": "replay:replay",
    "setup": "setup:setup",
    "sources": "sources:sources",
    "timeline": "history:timeline",
    "webhooks": "webhooks:webhooks",
}
ALL = "all"
"""Every role, where a worker is asked for roles."""
SERVERS = ("web", "worker")
"""They have logs; other commands have answers."""


@click.group(
    cls=LateGroup, elsewhere=LAZY_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.pass_context
def tocsin(context: click.Context) -> None:
    """Domain events from Kafka become notifications, each decision explained in ClickHouse."""
    if context.invoked_subcommand not in SERVERS:
        # What Kafka's client complains of is in the sentence that the command ends with.
        logging.getLogger("aiokafka").addHandler(logging.NullHandler())


def _roles(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """The roles that a worker was asked for; raises BadParameter with one sentence."""
    for name in names:
        if name not in (*ROLES, ALL):
            raise click.BadParameter(
                f"{name!r} is not a role; the roles are {', '.join(ROLES)}, or {ALL}"
            )
        if names.count(name) > 1:
            raise click.BadParameter(f"{name!r} is given twice; a process runs a role once")
    if ALL in names and len(names) > 1:
        raise click.BadParameter(f"{ALL!r} means every role, so it can't be combined")
    return ROLES if ALL in names else names


@tocsin.command()
@click.argument("roles", metavar="ROLES", nargs=-1, required=True, callback=_roles)
def worker(roles: tuple[str, ...]) -> None:
    """Run ROLES in one process until SIGTERM; run more processes, here or elsewhere, to share their
    partitions.

    ROLES are one or more of intake, router, decider, push, email, sms, chat, webhook, inapp, retry
    and analytics; "all" means every one of them.

    Roles of one process share its memory and one processor core, so one process is enough for a
    small machine; where all roles need more than a core, run several. An error that ends one role
    ends the process.
    """
    settings = read_settings()
    check_prerequisites(settings)
    # Imported late: the other commands need none of Faust.
    from agents.roles import builders_of
    from pipeline.process.worker import run_worker

    run_worker(settings, builders_of(roles))


@tocsin.command()
def web() -> None:
    """Serve the HTTP API, live inboxes and pages, and accept providers' reports, until SIGTERM."""
    import uvloop

    from web.app import run

    settings = read_settings()
    set_up_logs(settings.log_format, settings.log_level)
    uvloop.run(run(settings))


@tocsin.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path(".tocsin/up"))
@click.option("--kafka-port", type=click.IntRange(1, 65535), default=9092, show_default=True)
@click.option("--clickhouse-port", type=click.IntRange(1, 65535), default=8123, show_default=True)
@click.option("--web-port", type=click.IntRange(1, 65535), default=8090, show_default=True)
@click.option("--page-port", type=click.IntRange(1, 65535), default=8091, show_default=True)
@click.option(
    "--catalogue",
    type=click.Path(path_type=Path),
    envvar="TOCSIN_CATALOGUE",
    help="The catalogue's folder; that of the playground unless given.",
)
def up(
    folder: Path,
    kafka_port: int,
    clickhouse_port: int,
    web_port: int,
    page_port: int,
    catalogue: Path | None,
) -> None:
    """Run Kafka, ClickHouse, the provider simulators, all roles and the web, until Ctrl-C."""
    import asyncio

    from cli.commands.up import stay_up

    asyncio.run(stay_up(folder, kafka_port, clickhouse_port, web_port, page_port, catalogue))


@tocsin.command()
@click.option("--events", type=click.IntRange(1), default=5000, show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=20.0, show_default=True)
@click.option("--keep", is_flag=True, help="Stay up afterwards, to look around.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on standard output.")
def demo(events: int, seconds: float, keep: bool, as_json: bool) -> None:
    """Generate events for 20,000 users, and verify that no notification is lost or wrong."""
    from demo.run import run_demo

    sys.exit(run_demo(Path(".tocsin/demo"), events, seconds, keep, as_json))


def main() -> None:
    """Run the command; an error of ours ends it with one sentence, and any with the code of its
    kind (`schemas.errors.ExitCode`)."""
    collect_rarely()
    try:
        tocsin()
    except TocsinError as error:
        say(str(error), sys.stderr, "ERROR")
        sys.exit(exit_code_of(error))
    except Exception as error:
        traceback.print_exception(error)
        sys.exit(exit_code_of(error))
