"""The OpenAPI document is valid, and clients that others generate from it work."""

import asyncio
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import openapi_generator_cli
import pytest
from openapi_spec_validator import validate

from embedded.java import java
from tests.agents.names import unique
from tests.web.api.routes.test_sending import person
from tests.web.house import Api
from web.api.app import routes_of
from web.api.services import Services

KNOWN = (
    "OpenAPI 3.1 support is still in beta",
    # Of a schema that has no name, as those of parameters and of items have none.
    "Failed to get the schema name: null",
    # The query's `from` and `date`.
    "(reserved word) cannot be used as model name",
    # A source's record, of which nothing is known.
    "Codegen property is null (e.g. map/dict of undefined type)",
)
"""What openapi-generator warns of that says nothing of the document."""
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""It runs for seconds: better code is not worth what it takes to make it."""


@pytest.fixture
async def document(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = await api.done("GET", "/v1/openapi.json", key="")
    return found


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_operation_says_what_it_is(document: dict[str, Any], api: Api) -> None:
    operations = [each for path in document["paths"].values() for each in path.values()]
    names = [each["operationId"] for each in operations]
    assert len(set(names)) == len(names) > 30
    tags = {tag["name"] for tag in document["tags"]}
    assert {tag for each in operations for tag in each["tags"]} == tags
    assert all(each["summary"] and each["description"] for each in operations)
    assert document["servers"][0]["url"] == api.url
    assert document["security"] == [{"key": []}]
    for each in operations:
        for status, reply in each["responses"].items():
            if int(status) >= 400:
                name = reply["$ref"].removeprefix("#/components/responses/")
                content = document["components"]["responses"][name]["content"]
                schema = {"$ref": "#/components/schemas/ProblemBody"}
                assert content == {"application/problem+json": {"schema": schema}}
            else:
                assert "RateLimit-Remaining" in reply["headers"]


def test_every_example_is_a_body_that_is_taken(api: Api) -> None:
    desk: Any = object.__new__(Services)
    desk.settings, desk.owners = api.house.settings, None
    routes = [route for route in routes_of(desk) if route.body is not None]
    assert len(routes) > 10
    for route in routes:
        msgspec.convert(route.example, route.body)


def run(command: list[str | Path], folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def imported(folder: Path, package: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every module of a generated package is imported; their names."""
    monkeypatch.syspath_prepend(str(folder))
    files = sorted((folder / package).rglob("*.py"))
    names = [".".join(file.relative_to(folder).with_suffix("").parts) for file in files]
    for name in names:
        importlib.import_module(name.removesuffix(".__init__"))
    return names


async def test_a_client_by_openapi_python_client_works(
    api: Api, document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    command: list[str | Path] = [
        "openapi-python-client",
        "generate",
        "--path",
        "openapi.json",
        "--meta",
        "none",
    ]
    options = ["--output-path", "made_by_python_client", "--fail-on-warning"]
    said = await asyncio.to_thread(run, [*command, *options], tmp_path)
    assert "arning" not in said
    names = imported(tmp_path, "made_by_python_client", monkeypatch)
    assert len(names) > 80
    made: Any = importlib.import_module("made_by_python_client")
    calls: Any = importlib.import_module("made_by_python_client.api.inbox.get_inbox")
    sends: Any = importlib.import_module("made_by_python_client.api.sending.notify")
    models: Any = importlib.import_module("made_by_python_client.models")
    user = await person(api)

    def call() -> tuple[Any, Any]:
        with made.AuthenticatedClient(base_url=api.url, token=api.keys["acme"]) as client:
            body = models.NotificationBody.from_dict(comment(user))
            notified = sends.sync(client=client, body=body, idempotency_key=unique("key"))
            page = calls.sync(user, client=client, position=notified.position)
            return page, calls.sync(user, client=client, position="x")

    page, refused = await asyncio.to_thread(call)
    assert [item.title for item in page.items] == ["Bo on Cats"]
    assert page.items[0].occurred_at.utcoffset().total_seconds() == 0
    assert (refused.status, refused.title) == (400, "The request can't be used")


async def test_a_client_by_openapi_generator_works(
    api: Api, document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    jar = Path(openapi_generator_cli.__file__).with_name("openapi-generator.jar")
    command: list[str | Path] = [
        java(),
        *QUICK_START,
        "-jar",
        jar,
        "generate",
        "-i",
        "openapi.json",
        "-g",
        "python",
    ]
    options = ["-o", "made", "--package-name", "made_by_generator"]
    said = await asyncio.to_thread(run, [*command, *options], tmp_path)
    lines = [line for line in said.splitlines() if "WARN" in line or "ERROR" in line]
    assert not [line for line in lines if not any(known in line for known in KNOWN)]
    names = imported(tmp_path / "made", "made_by_generator", monkeypatch)
    assert len(names) > 60
    made: Any = importlib.import_module("made_by_generator")
    user = await person(api)
    configuration = made.Configuration(host=api.url, access_token=api.keys["acme"])

    def call() -> Any:
        with made.ApiClient(configuration) as client:
            body = made.NotificationBody.from_dict(comment(user))
            notified = made.SendingApi(client).notify(body, idempotency_key=unique("key"))
            page = made.InboxApi(client).get_inbox(user, position=notified.position)
            client.rest_client.pool_manager.clear()  # which it leaves open itself
            return page

    page = await asyncio.to_thread(call)
    assert [item.title for item in page.items] == ["Bo on Cats"]


def comment(user: str) -> dict[str, Any]:
    data = {"commenter_name": "Bo", "post_title": "Cats", "post_id": "1", "text": "Nice"}
    return {"type": "comment_added", "users": [user], "data": data}
