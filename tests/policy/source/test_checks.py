"""What is wrong with a source is told with its line, before anything is read by it."""

import orjson
import pytest

from pipeline.catalogue_folder import read_catalogue
from policy.catalogue.catalogue import parse
from schemas.errors import BadCatalogue
from schemas.topics import TOPICS
from tests.policy.refusals import problems
from tests.policy.samples import TYPE
from tests.policy.source.payloads import change
from tests.policy.source.sources import ORDERS, source_of


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("shop.public.orders", "*", "3: sources.orders.topics: * matches events, which is a topic"),
        ("shop.public.orders", "*-changelog", "3: sources.orders.topics: *-changelog matches"),
        ("shop.public.orders", "placed.router", "goes in circles"),
        ("shop.public.orders", "__consumer_*", "matches topics that Kafka keeps for itself"),
        ("shop.public.orders", "__other", "matches topics that Kafka keeps for itself"),
        ("shop.public.orders", "no topic", "Expected `str` matching regex"),
        ('"shop.public.orders"', '"a", "a"', "names a more than once"),
        ("debezium+json", "xml", "4: sources.orders.format: 'xml' is none of json, avro, json-sch"),
        (
            'm+json"',
            'm+protobuf"\nread_as = { version = 3 }',
            "sources.orders.read_as: is for Avro",
        ),
        ('m+json"', 'm+avro"\nread_as = { version = 0 }', "Expected `int` >= 1"),
        ('m+json"', 'm+avro"\nkey_format = "json"', "Invalid enum value 'json'"),
        ("debezium+json", "debezium+xml", "is none of"),
        ("actor =", "acter =", "9: sources.orders.set.acter: is no field of events"),
        ("actor =", "acter =", "7: sources.orders.set: lacks actor"),
        ("after.shop_id }}", "after.shop_id", "unexpected end of template"),
        ("{{ after.id }}", "{{ after.id | nothing }}", "No filter named 'nothing'"),
        ("and after.status", "after.status", "6: sources.orders.when: has more than one"),
        ("thing.happened", "nothing.happened", "8: sources.orders.set.type: 'nothing.happened'"),
        ('into = "events"', 'into = "erasures"', "Invalid enum value 'erasures'"),
        ("when =", "wen =", "unknown field `wen` (did you mean when?)"),
        ('into = "events"', 'into = "follows"', "set: lacks followee"),
    ],
)
def test_each_mistake_has_its_line(old: str, new: str, complaint: str) -> None:
    assert old in ORDERS
    found = problems(a=TYPE, b=ORDERS.replace(old, new))
    assert any(complaint in each for each in found), found


@pytest.mark.parametrize("topic", [each.name for each in TOPICS])
def test_no_source_reads_what_tocsin_itself_reads_or_writes(topic: str) -> None:
    (problem,) = problems(a=TYPE, b=ORDERS.replace("shop.public.orders", topic))
    assert "Tocsin's own" in problem


def test_patterns_match_whole_names_and_never_what_kafka_keeps() -> None:
    source = source_of(ORDERS.replace("shop.public.orders", "shop.*.v?"))
    names = ["shop.a.v1", "shop.a.v12", "a.shop.a.v1", "shopXa.v1", "shop..v1"]
    assert list(map(source.reads, names)) == [True, False, False, False, True]
    every = source_of(ORDERS.replace("shop.public.orders", "?shop.*"))
    assert not every.reads("__shop.a")


EXAMPLES = """
[[sources.orders.examples]]
given = "shipped.json"
gives = { actor = "31", data = { customer_id = "ann", order_id = 7 } }
[[sources.orders.examples]]
given = { op = "u", before = {}, after = { status = "paid" } }
gives = "skipped"
[[sources.orders.examples]]
gives = "skipped"
[[sources.orders.examples]]
given = "no JSON"
gives = "refused"
"""
SHIPPED = change("c", None, {"id": 7, "status": "shipped", "shop_id": 31, "customer_id": "ann"})


def test_examples_hold_or_say_what_is_given_instead() -> None:
    files = {"a.toml": TYPE, "b.toml": ORDERS + EXAMPLES, "shipped.json": SHIPPED.decode()}
    parse(files)
    for old, new, complaint in [
        ('"31"', '"32"', 'examples[0].gives: actor is "31", not "32"'),
        ("shipped.json", "other.json", "examples[0].given: there is no file other.json"),
        ('"paid"', '"shipped"', "examples[1].gives: the record is refused: invalid: "),
        ('"no JSON"', '"null"', "examples[3].gives: the record is skipped: a delete"),
        ("actor =", "tenant = 'x', nobody =", "there is no nobody"),
    ]:
        assert old in EXAMPLES
        with pytest.raises(BadCatalogue) as caught:
            parse(files | {"b.toml": ORDERS + EXAMPLES.replace(old, new)})
        assert complaint in str(caught.value)


def test_examples_may_stand_in_files_beside_the_catalogue(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "a.toml").write_text(TYPE)
    (folder / "b.toml").write_text(ORDERS + EXAMPLES)
    with pytest.raises(BadCatalogue, match=r"no file shipped\.json"):
        read_catalogue(folder)
    (folder / "shipped.json").write_bytes(SHIPPED)
    assert set(read_catalogue(folder).sources) == {"orders"}
    (folder / "shipped.json").write_bytes(orjson.dumps({"op": "r"}))
    with pytest.raises(BadCatalogue, match="a row of a snapshot"):
        read_catalogue(folder)
