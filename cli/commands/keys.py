"""`tocsin keys`: who may call the API."""

import asyncio
import fcntl
import json
import sys

import click
import msgspec

from cli.audit import put_on_record
from cli.key_check import Known, wait_until_known
from cli.lazy_group import Group
from cli.lines import Row, aligned, print_lines
from cli.settings import read_settings
from schemas.errors import Misconfigured, Unavailable, WrongUsage
from schemas.naming import LONGEST_NAME, is_name
from web.api.keys import PER_MINUTE, ApiKey, Scope, new_key, read_keys, table_of
from web.gateway.token import subscriber_secret

_KNOWN = {
    Known.YES: "",
    Known.NO_WEB: "tocsin: no web process answers at {web}; one that starts with {path} will know "
    "the key.\n",
    Known.NO: "tocsin: the web process at {web} does not know the key: it reads another file than "
    "{path}, or can't use it, which its log says. TOCSIN_API_KEYS says which one it reads.\n",
}


@click.group(cls=Group)
def keys() -> None:
    """Keys of the HTTP API, in TOCSIN_API_KEYS."""


@keys.command()
@click.argument("name")
@click.option("--tenant", default="default", show_default=True)
@click.option("--scope", "scopes", multiple=True, type=click.Choice([str(s) for s in Scope]))
@click.option("--per-minute", type=click.IntRange(1), default=PER_MINUTE, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on standard output.")
def create(name: str, tenant: str, scopes: tuple[str, ...], per_minute: int, as_json: bool) -> None:
    """Create a key of this NAME and print it once: only its hash is stored.

    Without --scope it may send, manage users, and read. When the command returns, the key works at
    the web process at TOCSIN_WEB_HOST and TOCSIN_WEB_PORT, to which one request is sent.
    """
    settings = read_settings()
    path = settings.api_keys
    if not (name.isidentifier() and name.isascii()):
        raise WrongUsage(
            f"{name!r} is not a valid name: use letters, digits and _. No key was created."
        )
    # A key of another tenant could not be read from the file.
    if not is_name(tenant):
        raise WrongUsage(
            f"{tenant!r} is not a valid tenant: use 1 to {LONGEST_NAME} characters without control "
            "characters. No key was created."
        )
    note = put_on_record(settings, "granted", "keys create", tenant=tenant, thing=name)
    asyncio.run(note)
    text, sha256 = new_key()
    granted = frozenset(map(Scope, scopes)) or frozenset({Scope.SEND, Scope.USERS, Scope.READ})
    key = ApiKey(name=name, sha256=sha256, tenant=tenant, scopes=granted, per_minute=per_minute)
    try:
        path.touch(mode=0o600)
        with path.open("a") as file:
            # Two at once would both find that there is no such key, and spoil the file for all.
            fcntl.flock(file, fcntl.LOCK_EX)
            if any(key.name == name for key in read_keys(path)):
                raise WrongUsage(
                    f"There is a key {name!r} in {path}. No key was created: choose another name, "
                    "or delete that key's table from the file first."
                )
            file.write(table_of(key))
    except OSError as error:
        raise Unavailable(
            f"{path} can't be written: {error.strerror}. No key was created."
        ) from None
    known = wait_until_known(settings.web_host, settings.web_port, text)
    if as_json:
        click.echo(json.dumps({"name": name, "key": text}))
    else:
        click.echo(text)
    sys.stderr.write(
        _KNOWN[known].format(web=f"{settings.web_host}:{settings.web_port}", path=path)
    )


@keys.command("subscriber-secret")
@click.option("--tenant", default="default", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON on standard output.")
def secret(tenant: str, as_json: bool) -> None:
    """Print what a TENANT's backend signs its users' inbox tokens with (JWT, HS256).

    Claims: aud tocsin-inbox, iss the tenant, sub the user, exp within a day.
    """
    settings = read_settings()
    key = settings.signing_key.get_secret_value().encode()
    if not key:
        raise Misconfigured("TOCSIN_SIGNING_KEY is not set.")
    if not is_name(tenant):
        raise WrongUsage(f"{tenant!r} is not a valid tenant. Nothing was shown.")
    asyncio.run(put_on_record(settings, "granted", "keys subscriber-secret", tenant=tenant))
    told = subscriber_secret(key, tenant)
    if as_json:
        click.echo(json.dumps({"tenant": tenant, "secret": told}))
    else:
        click.echo(told)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_keys(as_json: bool) -> None:
    """List the keys by name; to take one away, delete its table from the file.

    It stops to count a few seconds later.
    """
    found = read_keys(read_settings().api_keys)
    if as_json:
        for key in found:
            click.echo(msgspec.json.encode(key).decode())
        return
    rows = [Row((key.name, key.tenant, *_rights(key))) for key in found]
    head = Row(("name", "tenant", "a minute", "scopes"))
    print_lines(aligned([head, *rows]) if found else ["There are no keys."])


def _rights(key: ApiKey) -> tuple[str, str]:
    return str(key.per_minute), " ".join(sorted(key.scopes))
