"""Which client calls a host: one for each, to the address that its name stood for lately."""

import pytest

from sinks.http import endpoints
from sinks.http.endpoints import AT_ONCE, LOOKED_UP_MS, MOST, Endpoints
from tests.sinks.requests.recorder import Still

FIRST, SECOND, PRIVATE = "93.184.215.14", "93.184.215.15", "10.1.2.3"
HOST, EXCEPTION = "hooks.example.com", "inside.example.com"


class Client:
    """What a client was made of."""

    def __init__(self, *made_of: object, **named: object) -> None:
        self.made_of = *made_of, named


class Names:
    """A name server: what a name stands for now."""

    def __init__(self) -> None:
        self.found = [FIRST]
        self.asked: list[str] = []

    async def look_up(self, host: str) -> list[str]:
        """The addresses."""
        self.asked.append(host)
        return self.found


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    server = Names()
    monkeypatch.setattr(endpoints, "_look_up", server.look_up)
    monkeypatch.setattr(endpoints, "HttpClient", Client)
    return server


@pytest.fixture
def clock() -> Still:
    return Still()


@pytest.fixture
def calls(names: Names, clock: Still) -> Endpoints:
    return Endpoints(7.5, (EXCEPTION,), clock)


async def client(calls: Endpoints, host: str = HOST, port: int = 443) -> object:
    return await calls._client(host, port)


async def test_a_client_is_pinned_and_has_as_many_connections_as_there_are_calls(
    calls: Endpoints, names: Names
) -> None:
    names.found = [SECOND, FIRST]
    made = await client(calls)
    assert isinstance(made, Client)
    assert made.made_of == (7.5, AT_ONCE, {"pinned": (HOST, SECOND, 443)})


async def test_a_host_and_its_port_share_a_client(calls: Endpoints, names: Names) -> None:
    first = await client(calls)
    assert await client(calls) is first
    others = [await client(calls, port=8443), await client(calls, "other.example.com")]
    assert len({id(each) for each in [first, *others]}) == 3
    assert names.asked == [HOST, HOST, "other.example.com"]


async def test_a_name_is_looked_up_once_a_minute(
    calls: Endpoints, names: Names, clock: Still
) -> None:
    assert LOOKED_UP_MS == 60_000
    first = await client(calls)
    asked = []
    for passed in (59_999, 1, 59_999, 1):
        clock.time += passed
        assert await client(calls) is first
        asked.append(len(names.asked))
    assert asked == [1, 2, 2, 3]


async def test_a_client_stays_for_as_long_as_its_address_is_one_of_the_names(
    calls: Endpoints, names: Names, clock: Still
) -> None:
    first = await client(calls)
    clock.time += 60_000
    names.found = [SECOND, FIRST]
    assert await client(calls) is first
    clock.time += 60_000
    names.found = [SECOND]
    second = await client(calls)
    assert isinstance(second, Client)
    assert second is not first
    assert second.made_of[-1] == {"pinned": (HOST, SECOND, 443)}


@pytest.mark.parametrize("found", [[PRIVATE], [FIRST, PRIVATE], [PRIVATE, FIRST]])
async def test_no_client_leads_to_a_private_address_but_where_that_is_allowed(
    calls: Endpoints, names: Names, found: list[str]
) -> None:
    names.found = found
    assert await client(calls) is None
    assert isinstance(await client(calls, EXCEPTION), Client)


async def test_of_too_many_hosts_those_used_the_longest_ago_go(
    calls: Endpoints, names: Names
) -> None:
    assert MOST == 1024
    first, second = await client(calls, port=1), await client(calls, port=2)
    for port in range(3, 1025):
        await client(calls, port=port)
    assert len(names.asked) == 1024
    assert await client(calls, port=1) is first
    # The 1025th takes the place of the second, as the first was used since.
    await client(calls, port=1025)
    assert await client(calls, port=1) is first
    assert len(names.asked) == 1025
    assert await client(calls, port=2) is not second
