"""The references say what the code does: each is made anew and compared."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from prometheus_client import REGISTRY, generate_latest

from pipeline.settings import Settings
from policy.catalogue.file import Sections
from schemas.topics import TOPICS
from tests.documentation.catalogue_page import SECTIONS
from tests.documentation.metrics_page import declared, name_of
from tests.documentation.references import FOLDER, REFERENCES
from tests.documentation.settings_page import page as settings_page
from tests.documentation.topics_page import as_draft_07, document

DOCUMENT = document()
OFFICIAL = os.environ.get("ASYNCAPI_SCHEMA", "")
"""schemas/3.0.0-without-$id.json of the npm package @asyncapi/specs."""


@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_is_as_the_code_makes_it(name: str) -> None:
    kept = (FOLDER / name).read_text("utf-8")
    assert kept == REFERENCES[name](), "run python -m tests.documentation"


def test_every_section_of_a_catalogue_file_is_there() -> None:
    assert tuple(SECTIONS) == Sections.__struct_fields__


def test_every_setting_is_there_with_its_meaning() -> None:
    rows = re.findall(r"^\| `(TOCSIN_\w+)` \|.*\| (.+) \|$", settings_page(), re.MULTILINE)
    assert [name for name, _ in rows] == [
        f"TOCSIN_{name.upper()}" for name in Settings.model_fields
    ]
    assert all(meaning.endswith(".") for _, meaning in rows)


def test_metrics_are_named_as_they_are_scraped() -> None:
    scraped = generate_latest(REGISTRY).decode()
    for metric in declared():
        assert f"# HELP {name_of(metric)} {metric._documentation}" in scraped


def references(value: Any) -> Iterator[str]:
    """All that a document refers to, anywhere in it."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "$ref":
                yield each
            else:
                yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_asyncapi_refers_only_to_what_it_has() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > len(TOPICS)
    for reference in found:
        value = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            value = value[part]


def test_asyncapi_has_every_topic_and_who_uses_it() -> None:
    made = DOCUMENT
    assert {each["address"] for each in made["channels"].values()} == {t.name for t in TOPICS}
    used = {each["channel"]["$ref"] for each in made["operations"].values()}
    # Operators read dead letters with a command, and all others have a role.
    assert used == {f"#/channels/{name}" for name in made["channels"]}


@pytest.mark.parametrize("name", DOCUMENT["components"]["messages"])
def test_an_example_is_what_the_schema_of_its_message_says(name: str) -> None:
    message = DOCUMENT["components"]["messages"][name]
    schema = {**message["payload"], "components": DOCUMENT["components"]}
    Draft7Validator.check_schema(message["payload"])
    for example in message.get("examples", ()):
        Draft7Validator(schema).validate(example["payload"])


def test_arrays_of_places_are_written_in_the_words_of_draft_7() -> None:
    said = {"type": "array", "prefixItems": [{"type": "integer"}], "items": False}
    found = as_draft_07(said)
    assert found == {"type": "array", "items": [{"type": "integer"}], "additionalItems": False}


@pytest.mark.skipif(not OFFICIAL, reason="ASYNCAPI_SCHEMA names no schema")
def test_asyncapi_is_valid_by_the_official_schema() -> None:
    validator = Draft7Validator(json.loads(Path(OFFICIAL).read_text("utf-8")))
    made = document()
    validator.validate(made)
    made["operations"]["router_receives_events"]["action"] = "eat"
    assert not validator.is_valid(made)
