"""`tocsin alerts`: rules for Prometheus."""

import click

from pipeline.alerts import rule_file


@click.command()
@click.option(
    "--lag",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="Records that a role may have before it for a quarter of an hour.",
)
def alerts(lag: int) -> None:
    """Print alert rules for Prometheus, each with what to do about it.

    What they go by is what workers serve at TOCSIN_METRICS_PORT.
    """
    click.echo(rule_file(lag), nl=False)
