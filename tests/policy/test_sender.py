"""Who e-mails are from: the type's words before the tenant's, and what can't be a sender."""

import pytest

from policy.catalogue.catalogue import Catalogue, parse
from policy.decision.decide import decide
from policy.sender import merged
from policy.user.ledger import Ledger
from policy.user.state import UserState
from schemas.delivery import Sender
from schemas.errors import BadCatalogue
from schemas.vocabulary import Channel
from tests.policy.samples import EVERYWHERE, NOON, TYPE, request

SENDER = 'sender = { name = "Shop", address = "shop@bücher.example", reply_to = "help@x.example" }'
OF_TYPE = TYPE.replace("time_to_live = 86400", f"time_to_live = 86400\n{SENDER}")
OF_TENANT = '[tenants.default]\nsender = { name = "Acme", address = "hello@acme.example" }'


def senders(catalogue: Catalogue) -> dict[Channel, Sender | None]:
    """By channel, who a message is from."""
    state = UserState(EVERYWHERE, Ledger(), catalogue.tenant("default"))
    decision = decide(request(), catalogue.types["thing"], state, NOON)
    return {delivery.channel: delivery.sender for delivery in decision.deliveries}


def test_mails_alone_have_the_sender_of_their_type() -> None:
    found = senders(parse({"thing.toml": OF_TYPE}))
    shop = Sender(name="Shop", address="shop@xn--bcher-kva.example", reply_to="help@x.example")
    assert found == {Channel.PUSH: None, Channel.EMAIL: shop, Channel.INAPP: None}


def test_a_tenant_has_one_for_types_that_have_none() -> None:
    acme = Sender(name="Acme", address="hello@acme.example")
    found = senders(parse({"thing.toml": TYPE, "tenants.toml": OF_TENANT}))
    assert found[Channel.EMAIL] == acme
    assert found[Channel.PUSH] is None
    found = senders(parse({"thing.toml": OF_TYPE, "tenants.toml": OF_TENANT}))
    assert found[Channel.EMAIL] == Sender(
        name="Shop", address="shop@xn--bcher-kva.example", reply_to="help@x.example"
    )
    assert senders(parse({"thing.toml": TYPE}))[Channel.EMAIL] is None


ACME = Sender(name="Acme", address="a@acme.example", reply_to="r@acme.example")


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (None, ACME),
        (Sender(name="Bo"), Sender(name="Bo", address=ACME.address, reply_to=ACME.reply_to)),
        # A name belongs to its address.
        (Sender(address="b@b.example"), Sender(address="b@b.example", reply_to=ACME.reply_to)),
        (
            Sender(reply_to="r@b.example"),
            Sender(name="Acme", address=ACME.address, reply_to="r@b.example"),
        ),
    ],
)
def test_each_field_is_by_itself_but_a_name(own: Sender | None, expected: Sender) -> None:
    assert merged(own, ACME) == expected
    assert merged(own, None) == own


@pytest.mark.parametrize(
    ("sender", "field", "complaint"),
    [
        ("{}", "sender", "says nothing: it has name, address and reply_to"),
        ('{ address = "Shop <a@b.example>" }', "sender.address", "is more than an address: a name"),
        ('{ address = "nobody" }', "sender.address", "is no e-mail address: it has no @"),
        ('{ reply_to = "a@b.example, c@d.example" }', "sender.reply_to", "is no"),
        ('{ address = "a@b.example\\r\\nBcc: c@d.example" }', "sender.address", "is no"),
        ('{ name = "x\\r\\nBcc: c@d.example" }', "sender.name", "is empty, or has line breaks"),
        ('{ name = "\\u202Egnp.exe" }', "sender.name", "is empty, or has line breaks"),
        (
            '{ name = "{{ data.shop }}" }',
            "sender.name",
            "is sent as it stands here: a sender is no",
        ),
        ('{ address = "{{data.x}}@b.example" }', "sender.address", "is sent as it stands here"),
        ('{ reply_to = "{% if x %}a@b.example" }', "sender.reply_to", "is sent as it stands"),
        ('{ name = " " }', "sender.name", "is empty, or has line breaks"),
        ('{ form = "a@b.example" }', "sender", "Object contains unknown field `form`"),
    ],
)
def test_what_is_no_sender_is_told_with_its_line(sender: str, field: str, complaint: str) -> None:
    written = TYPE.replace("time_to_live = 86400", f"time_to_live = 86400\nsender = {sender}")
    with pytest.raises(BadCatalogue) as caught:
        parse({"thing.toml": written})
    assert f"thing.toml:10: types.thing.{field}: {complaint}" in str(caught.value)
    tenant = f"[tenants.acme]\nsender = {sender}"
    with pytest.raises(BadCatalogue) as caught:
        parse({"thing.toml": TYPE, "tenants.toml": tenant})
    assert f"tenants.toml:2: tenants.acme.{field}: {complaint}" in str(caught.value)


def test_a_type_without_mails_has_no_sender() -> None:
    plain = OF_TYPE.replace('"email", ', "")
    written = "\n".join(line for line in plain.splitlines() if not line.startswith("email ="))
    with pytest.raises(BadCatalogue, match="sender: has no effect, as email is not used"):
        parse({"thing.toml": written})
