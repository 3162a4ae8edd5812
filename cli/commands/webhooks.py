"""`tocsin webhooks`: what receivers of our webhooks have to know."""

import json

import click

from cli.lazy_group import Group
from cli.settings import read_settings
from policy.contact.endpoint import complaint_of
from schemas.errors import WrongUsage
from sinks.webhook.secret import keys_of, secret_of


@click.group(cls=Group)
def webhooks() -> None:
    """Outgoing webhooks."""


@webhooks.command()
@click.option("--url", required=True, help="As it is in the user's contacts.")
@click.option("--tenant", default="default", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on standard output.")
def secret(url: str, tenant: str, as_json: bool) -> None:
    """Print the secret by which the receiver at URL verifies webhooks (Standard Webhooks).

    While TOCSIN_WEBHOOK_KEYS has two keys, webhooks verify with the secret of either; this is the
    secret of the first.
    """
    settings = read_settings()
    if complaint := complaint_of(url, settings.private_endpoints):
        raise WrongUsage(f"Nothing will be sent to this URL: it {complaint}.")
    told = secret_of(keys_of(settings)[0], tenant, url)
    if as_json:
        click.echo(json.dumps({"tenant": tenant, "url": url, "secret": told}))
        return
    click.echo(told)
