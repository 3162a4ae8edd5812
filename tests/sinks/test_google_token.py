"""Google's access tokens: kept while they serve, fetched once for all, and not in vain."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.auth.exceptions import RefreshError, TransportError

from schemas.errors import Misconfigured
from schemas.vocabulary import Reason
from sinks.provider import TransientFailure
from sinks.push.google_token import AccessTokens
from tests.sinks.requests.recorder import NOW, Still

HOUR = 3_600_000


class Google:
    """Credentials that give a token for an hour, or fail."""

    def __init__(self, clock: Still) -> None:
        self.clock = clock
        self.fetches = 0
        self.error: Exception | None = None
        self.token = ""
        self.expiry = datetime.now(UTC)
        self.life = HOUR
        self.options: dict[str, Any] = {}

    def refresh(self, request: Any) -> None:
        self.fetches += 1
        self.options = request.keywords
        if self.error is not None:
            raise self.error
        self.token = f"token-{self.fetches}"
        at = (self.clock.time + self.life) / 1000
        self.expiry = datetime.fromtimestamp(at, UTC).replace(tzinfo=None)


class Certificate:
    project_id = "project"

    def __init__(self, google: Google) -> None:
        self.google = google

    def get_credential(self) -> Google:
        return self.google


@pytest.fixture
def clock() -> Still:
    return Still()


@pytest.fixture
def google(clock: Still) -> Google:
    return Google(clock)


@pytest.fixture
def tokens(clock: Still, google: Google) -> AccessTokens:
    made = AccessTokens(Path("unused.json"), 10, clock)
    made._certificate = Certificate(google)
    return made


async def test_one_fetch_serves_all(tokens: AccessTokens, google: Google) -> None:
    assert await asyncio.gather(*(tokens.token() for _ in range(20))) == ["token-1"] * 20
    assert await tokens.token() == "token-1"
    assert (google.fetches, tokens.load()) == (1, "project")
    assert google.options == {"timeout": 10}


@pytest.mark.parametrize(
    ("life", "token"),
    [(1000, "token-1"), (0, TransientFailure(Reason.UNAUTHORIZED, "no access token"))],
)
async def test_a_token_that_is_at_its_end_when_it_comes_serves_nobody(
    tokens: AccessTokens, google: Google, life: int, token: str | TransientFailure
) -> None:
    google.life = life
    assert await tokens.token() == token


@pytest.mark.parametrize(
    ("passed", "token", "fetches"),
    [
        (HOUR - 300_001, "token-1", 1),
        (HOUR - 300_000, "token-1", 2),  # replaced ahead, while the old one serves
        (HOUR - 10_001, "token-1", 2),
        (HOUR - 10_000, "token-2", 2),  # too near its end: calls take time
        (HOUR, "token-2", 2),
        (2 * HOUR, "token-2", 2),
    ],
)
async def test_when_a_token_is_replaced(
    tokens: AccessTokens, google: Google, clock: Still, passed: int, token: str, fetches: int
) -> None:
    await tokens.token()
    clock.time += passed
    assert await tokens.token() == token
    if tokens._fetching is not None:
        await tokens._fetching
    assert google.fetches == fetches
    assert await tokens.token() == f"token-{fetches}"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
async def test_a_token_ends_when_google_says_wherever_we_are(
    tokens: AccessTokens, google: Google, clock: Still, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """Google's times are UTC and don't say so."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        await tokens.token()
        clock.time += HOUR - 300_001
        await tokens.token()
        assert google.fetches == 1
        clock.time += 290_001
        assert await tokens.token() == "token-2"
    time.tzset()


async def test_a_token_that_was_refused_is_dropped_unless_another_took_its_place(
    tokens: AccessTokens, google: Google
) -> None:
    await tokens.token()
    tokens.discard("another")
    assert await tokens.token() == "token-1"
    tokens.discard("token-1")
    assert await tokens.token() == "token-2"
    assert google.fetches == 2


FAILURES = [
    (TransportError("no route"), Reason.UNREACHABLE, "the token endpoint can't be reached"),
    (RefreshError("invalid_grant"), Reason.UNAUTHORIZED, "invalid_grant"),
    (RefreshError("x" * 201), Reason.UNAUTHORIZED, "x" * 200),
    (RefreshError("internal", retryable=True), Reason.PROVIDER_ERROR, "internal"),
    (TypeError("secret"), Reason.UNREADABLE_REPLY, "the token endpoint's reply is odd"),
    (AttributeError("secret"), Reason.UNREADABLE_REPLY, "the token endpoint's reply is odd"),
    (ValueError("secret"), Reason.UNREADABLE_REPLY, "the token endpoint's reply is odd"),
]


@pytest.mark.parametrize(("error", "reason", "said"), FAILURES)
async def test_what_a_failed_fetch_means(
    tokens: AccessTokens, google: Google, error: Exception, reason: Reason, said: str
) -> None:
    google.error = error
    assert await tokens.token() == TransientFailure(reason, f"no access token: {said}")


async def test_a_fetch_that_failed_is_made_again_after_two_seconds(
    tokens: AccessTokens, google: Google, clock: Still
) -> None:
    google.error = TransportError("no route")
    for passed, fetches in ((0, 1), (1999, 1), (2000, 2), (2000, 2), (3999, 2), (4000, 3)):
        clock.time = NOW + passed
        assert isinstance(await tokens.token(), TransientFailure)
        assert google.fetches == fetches
    google.error = None
    assert isinstance(await tokens.token(), TransientFailure)
    clock.time = NOW + 6000
    assert await tokens.token() == "token-4"
    # And after a success nothing is held against it.
    clock.time += HOUR
    assert await tokens.token() == "token-5"


async def test_while_it_serves_a_failure_to_replace_it_is_no_matter(
    tokens: AccessTokens, google: Google, clock: Still
) -> None:
    await tokens.token()
    google.error = TransportError("no route")
    clock.time += HOUR - 200_000
    for _ in range(3):
        assert await tokens.token() == "token-1"


@pytest.mark.parametrize("file", [None, Path("nowhere.json"), Path("pyproject.toml")])
async def test_a_file_that_holds_no_account(file: Path | None, clock: Still) -> None:
    with pytest.raises(Misconfigured, match="TOCSIN_FCM_CREDENTIALS is not"):
        await AccessTokens(file, 10, clock).token()
