from policy.catalogue.catalogue import parse
from schemas.event import Notify
from tests.policy.samples import TYPE, happened, shipped_catalogue, variant


def test_versions_are_of_the_contents() -> None:
    version = parse({"a": TYPE}).version
    assert parse({"a": TYPE}).version == version
    assert parse({"b": TYPE}).version != version
    assert parse({"a": TYPE + "# more"}).version != version
    assert variant().catalogue == parse({"thing.toml": TYPE}).version


def test_an_event_may_name_its_type_itself() -> None:
    catalogue = shipped_catalogue()
    notify = Notify(type="chat_message", users=("ann",))
    assert catalogue.for_event(happened("no.such", notify=notify)) == (
        catalogue.types["chat_message"],
    )
    unknown = Notify(type="no_such", users=("ann",))
    assert catalogue.for_event(happened("chat.message", notify=unknown)) == ()


def test_an_unknown_event_type_has_no_types() -> None:
    assert shipped_catalogue().for_event(happened("no.such")) == ()
