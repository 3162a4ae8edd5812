"""No URL that a stranger registers leads into our own network, in whatever form it is written."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.contact.endpoint import check_endpoints, complaint_of, is_public
from schemas.errors import BadRecord
from schemas.profile import ChatHook, Contacts
from schemas.vocabulary import Reason

PRIVATE: list[IPv4Network | IPv6Network] = [
    *map(IPv4Network, ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8")),
    *map(IPv4Network, ("169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4")),
    *map(IPv4Network, ("192.0.2.0/24", "198.18.0.0/15", "203.0.113.0/24", "240.0.0.0/4")),
    *map(IPv6Network, ("::/127", "fc00::/7", "fe80::/10", "ff00::/8", "2001:db8::/32")),
    *map(IPv6Network, ("64:ff9b::/96", "2002::/16", "2001::/32")),
]
addresses = st.sampled_from(PRIVATE).flatmap(
    lambda network: st.integers(0, network.num_addresses - 1).map(lambda at: network[at])
)
four = addresses.filter(lambda address: isinstance(address, IPv4Address))


def host(address: IPv4Address | IPv6Address) -> str:
    return f"[{address}]" if isinstance(address, IPv6Address) else str(address)


@given(addresses)
def test_no_private_address_is_called(address: IPv4Address | IPv6Address) -> None:
    assert not is_public(str(address))
    assert complaint_of(f"https://{host(address)}/hook", ())


@given(four, st.sampled_from(["{:d}", "0x{:x}", "0{:o}"]))
def test_nor_one_that_is_written_as_a_number(address: IPv4Address, form: str) -> None:
    assert complaint_of(f"https://{form.format(int(address))}/hook", ())


@given(four, st.lists(st.sampled_from(["{:d}", "0x{:x}", "0{:o}"]), min_size=4, max_size=4))
def test_nor_in_parts(address: IPv4Address, forms: list[str]) -> None:
    parts = [form.format(part) for form, part in zip(forms, address.packed, strict=True)]
    for written in (".".join(parts), ".".join([*parts[:2], parts[3]]), f"{'.'.join(parts)}."):
        assert complaint_of(f"https://{written}/hook", ())


@given(four)
def test_nor_within_an_address_of_ipv6(address: IPv4Address) -> None:
    for written in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert not is_public(written)
        assert complaint_of(f"https://[{written}]/hook", ())


@given(st.integers(0, (1 << 32) - 1).map(IPv4Address))
def test_public_addresses_are_called(address: IPv4Address) -> None:
    private = any(address in each for each in PRIVATE if isinstance(each, IPv4Network))
    if is_public(str(address)):
        assert not private
        assert complaint_of(f"https://{address}/hook", ()) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://metadata.google.internal/",
        "https://printer.local/",
        "https://kafka/",
        "https://user@hooks.example.com/",
        "https://@hooks.example.com/",
        "https://hooks.example.com?@127.0.0.1/",
        "https://hooks.example.com@127.0.0.1/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://hooks.example.com#@127.0.0.1/",
        "https://127.0.0.1%00.example.com/",
        "https://\uff11\uff12\uff17.0.0.1/",
        "https://\u24db" + "ocalhost/",
        "https://hooks.example.com/ x",
        "https://hooks.example.com/\r\nX-Header: 1",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:99999/",
        "https://[::1",
        "https://-x-.example..com/",
        "https:///hook",
        "https://",
        "",
    ],
)
def test_what_leads_astray_is_refused(url: str) -> None:
    assert complaint_of(url, ())


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "https://Hooks.Example.COM/a/b?c=d&e=%20",
        "https://hooks.example.com:8443/",
        "https://xn--bcher-kva.example/hook",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
    ],
)
def test_what_is_public_is_called(url: str) -> None:
    assert complaint_of(url, ()) is None


@given(st.text(), st.text())
def test_no_text_is_too_odd(start: str, rest: str) -> None:
    complaint_of(start, ())
    complaint_of(f"https://{start}/{rest}", ())


def test_exceptions_are_by_host_and_for_that_host_alone() -> None:
    assert complaint_of("http://127.0.0.1:8080/hook", ("127.0.0.1",)) is None
    assert complaint_of("http://127.0.0.2:8080/hook", ("127.0.0.1",))
    assert complaint_of("http://x@127.0.0.1/hook", ("127.0.0.1",))


def contacts(**fields: tuple[object, ...]) -> Contacts:
    return Contacts(user="ann", **fields)  # type: ignore[arg-type]


def chat(platform: str, url: str) -> Contacts:
    return contacts(chats=(ChatHook(platform=platform, url=url),))  # type: ignore[arg-type]


def test_contacts_name_the_endpoint_that_is_wrong_but_not_its_secret() -> None:
    fine, wrong = "https://hooks.example.com/s3cret", "https://10.0.0.1/s3cret"
    with pytest.raises(BadRecord, match=r"webhooks\[1\] leads to 10\.0\.0\.1") as caught:
        check_endpoints(contacts(webhooks=(fine, wrong)), ())
    assert caught.value.reason is Reason.INVALID
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("platform", "url"),
    [
        ("slack", "https://hooks.slack.com/services/T0/B0/x"),
        ("teams", "https://prod-1.westeurope.logic.azure.com:443/workflows/1/triggers/manual"),
        ("teams", "https://acme.webhook.office.com/webhookb2/1"),
        # The connectors' form, and a workflow whose path names a trigger with an @.
        ("teams", "https://acme.webhook.office.com/webhookb2/1@2/IncomingWebhook/3/4"),
        ("teams", "https://prod-1.westeurope.logic.azure.com/workflows/1/triggers/a@b/run?sig=c@d"),
        ("discord", "https://discord.com/api/webhooks/1/x"),
        ("discord", "https://canary.discord.com/api/webhooks/1/x"),
        ("discord", "https://ptb.discord.com/api/webhooks/1/x"),
    ],
)
def test_hooks_are_at_their_platforms_hosts(platform: str, url: str) -> None:
    check_endpoints(chat(platform, url), ())
    for other in {"slack", "teams", "discord"} - {platform}:
        with pytest.raises(BadRecord, match="none of"):
            check_endpoints(chat(other, url), ())


def test_addresses_that_python_calls_global_are_so() -> None:
    assert ip_address("8.8.8.8").is_global
    assert is_public("8.8.8.8")
    assert is_public("::ffff:8.8.8.8")


def test_a_hook_of_a_stranger_is_told_with_its_host() -> None:
    chats = (ChatHook(platform="slack", url="https://evil.example/services/T/B/x"),)
    said = r"chats\[0\] leads to evil\.example, which is none of slack's hosts$"
    with pytest.raises(BadRecord, match=said):
        check_endpoints(Contacts(user="ann", chats=chats), ())
