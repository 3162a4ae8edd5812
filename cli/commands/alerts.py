"""`tocsin alerts`: rules for Prometheus."""

import click
import msgspec

from pipeline.monitoring.alerts import alerts as rules
from pipeline.monitoring.alerts import rule_file


@click.command()
@click.option(
    "--lag",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="Records that a role may have before it for a quarter of an hour.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for every rule.")
def alerts(lag: int, as_json: bool) -> None:
    """Print alert rules for Prometheus, each with what to do about it.

    What they go by is what workers serve at TOCSIN_METRICS_PORT.
    """
    if not as_json:
        click.echo(rule_file(lag), nl=False)
        return
    for each in rules(lag):
        shown = {
            "alert": each.name,
            "expr": each.when,
            "for": each.lasting,
            "severity": each.severity,
            "summary": each.is_seen,
            "description": each.to_do,
        }
        click.echo(msgspec.json.encode(shown))
