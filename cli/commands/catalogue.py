"""`tocsin catalogue`: check notification types before they go live, and see which there are."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cli.lazy_group import Group
from cli.lines import Row, aligned, print_json, print_lines
from cli.settings import read_settings
from pipeline.catalogue_folder import read_catalogue
from policy.catalogue.catalogue import Catalogue
from policy.experiments.holdout import WHOLE
from policy.limits.unpriced import unpriced_limits
from policy.notification_type import NotificationType, Step
from schemas.errors import BadCatalogue

FOLDER = click.argument("folder", type=click.Path(path_type=Path), required=False)


@click.group(cls=Group)
def catalogue() -> None:
    """Notification types in TOML files: check them, list them.

    FOLDER is TOCSIN_CATALOGUE if it isn't given. Running workers take up changed files by
    themselves, and keep to the ones before if there is anything wrong with them.
    """


@catalogue.command()
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(folder: Path | None, as_json: bool) -> None:
    """Report every mistake with file and line, and exit with 1; exit with 0 if there is none.

    A valid catalogue is summarized: its experiments with the share of users of each variant, and
    the share of users who are held out. What is allowed and hardly meant, such as a digest for
    which some events are too old, is a warning, and no mistake.
    """
    try:
        found = _read(folder)
    except BadCatalogue as error:
        if as_json:
            print_json({"problems": error.problems})
        for problem in () if as_json else error.problems:
            click.echo(problem, err=True)
        sys.exit(1)
    types, events = len(found.types), len(found.events)
    experiments, holdouts = list(_experiments(found)), list(_holdouts(found))
    unpriced = unpriced_limits(found.tenants, read_settings().sms_prices)
    warnings = [*found.warnings, *unpriced]
    if as_json:
        counts = {"types": types, "events": events, "version": found.version}
        found_all = {"experiments": experiments, "holdouts": holdouts, "warnings": warnings}
        print_json({**counts, **found_all, "problems": []})
        return
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{types} types, {events} events, version {found.version}")
    for each in experiments:
        shares = ", ".join(f"{share:.1%} {name}" for name, share in each["shares"].items())
        click.echo(f"{each['type']}: experiment {each['experiment']}, {shares}")
    for each in holdouts:
        whose, percent = each["type"] or "all types", f"{each['share'] * 100:g}%"
        click.echo(f"{whose}: holdout {each['holdout']}, {percent}")


@catalogue.command()
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="One JSON object a type.")
def show(folder: Path | None, as_json: bool) -> None:
    """List every type with its event, recipients, channels and priority."""
    found = _read(folder)
    types = sorted(found.types.values(), key=lambda spec: spec.name)
    if as_json:
        for spec in types:
            print_json(_described(spec))
        return
    print_lines(aligned([_row(spec) for spec in types]))
    click.echo(f"version {found.version}")


def _row(spec: NotificationType) -> Row:
    priority = f"{spec.priority}{', transactional' * spec.transactional}"
    steps = ", then ".join(map(_channels, spec.steps))
    until = "" if spec.until is None else f", until {spec.until.shown}"
    return Row((spec.name, spec.event, priority), f"to {_audience(spec)}: {steps}{until}")


def _read(folder: Path | None) -> Catalogue:
    return read_catalogue(read_settings().catalogue if folder is None else folder)


def _experiments(found: Catalogue) -> Iterator[dict[str, Any]]:
    """Those that run, by type."""
    for spec in sorted(found.types.values(), key=lambda spec: spec.name):
        experiment = spec.experiment
        if experiment is not None:
            shares = {each.name: each.weight / experiment.total for each in experiment.variants}
            yield {"type": spec.name, "experiment": experiment.name, "shares": shares}


def _holdouts(found: Catalogue) -> Iterator[dict[str, Any]]:
    """That of all types, and those of single ones, each once."""
    each = {one.label + one.type: one for spec in found.types.values() for one in spec.holdouts}
    for one in sorted(each.values(), key=lambda one: one.type):
        yield {"type": one.type, "holdout": one.name, "share": one.share / WHOLE}


def _described(spec: NotificationType) -> dict[str, Any]:
    return {
        "type": spec.name,
        "event": spec.event,
        "category": spec.category,
        "priority": spec.priority,
        "transactional": spec.transactional,
        "audience": _audience(spec),
        "steps": [
            {
                "channels": [plan.channel for plan in step.plans],
                "after_seconds": step.after // 1000,
                "unless": step.unless if step.after else None,
            }
            for step in spec.steps
        ],
        "until": None if spec.until is None else spec.until.shown,
        "holdouts": [each.label for each in spec.holdouts],
        "goal": None if spec.goal is None else spec.goal.shown,
        "version": spec.catalogue,
    }


def _audience(spec: NotificationType) -> str:
    if spec.users:
        return f"data.{'.'.join(spec.users)}"
    if spec.followers:
        return "the actor's followers"
    if spec.subscribers:
        return f"subscribers of data.{'.'.join(spec.subscribers)}"
    if spec.segment_at:
        return f"the segment data.{'.'.join(spec.segment_at)}"
    if spec.segments:
        return f"the segment {', '.join(spec.segments)}"
    return "users with " + ", ".join(f"{name} = {value}" for name, value in spec.segment.items())


def _channels(step: Step) -> str:
    channels = ", ".join(plan.channel for plan in step.plans)
    if not step.after:
        return channels
    return f"{channels} after {_span(step.after)} unless {step.unless}"


def _span(milliseconds: int) -> str:
    """As the catalogue writes it."""
    seconds = milliseconds // 1000
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
