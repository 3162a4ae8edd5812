"""One set of simulators for all providers; each test gets its provider with no faults in force."""

from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from embedded.simulators.credentials import Credentials
from embedded.simulators.server import Serving, serving
from pipeline.settings import Settings
from pipeline.variables import settings_of
from sinks.http.client import HttpClient
from tests.sinks.cases import CASES
from tests.sinks.rig import PATIENT, Rig


@pytest.fixture(scope="session", autouse=True)
def keys_are_read_once() -> Iterator[None]:
    """An RSA key takes as long to read as a hundred calls, and most tests read the same two."""
    read = cache(serialization.load_pem_private_key)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serialization, "load_pem_private_key", read)
        patch.setattr("sinks.vonage.load_pem_private_key", read)
        yield


@pytest.fixture(scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serving]:
    folder = tmp_path_factory.mktemp("providers")
    async with serving(0, folder / "accepted.jsonl", folder) as listening:
        yield listening


@pytest.fixture
def running_accounts(running: Serving) -> Credentials:
    """The accounts that the simulators know."""
    return running.credentials


@pytest.fixture
def patience() -> float:
    """Seconds a call has; a test says otherwise by `parametrize("patience", [IMPATIENT])`."""
    return PATIENT


@pytest.fixture
def settings(running: Serving, patience: float) -> Settings:
    return _settings(frozenset(running.environment.items()), patience)


@cache
def _settings(environment: frozenset[tuple[str, str]], patience: float) -> Settings:
    times = ("TOCSIN_PROVIDER_TIMEOUT", "TOCSIN_SMTP_FINAL_TIMEOUT")
    return settings_of({**dict(environment), **dict.fromkeys(times, str(patience))})


@pytest.fixture
async def http(patience: float) -> AsyncIterator[HttpClient]:
    client = HttpClient(patience, connections=16)
    yield client
    await client.close()


@pytest.fixture(params=sorted(CASES))
async def rig(
    request: pytest.FixtureRequest, running: Serving, settings: Settings, http: HttpClient
) -> AsyncIterator[Rig]:
    """The provider that the test names, or each in turn: `parametrize("rig", ["fcm"],
    indirect=True)`."""
    case = CASES[request.param]
    log = Path(settings.fcm_credentials or "").with_name("accepted.jsonl")
    log.write_bytes(b"")
    provider = case.kind(settings, http)
    yield Rig(case, provider, running, log, settings, http)
    running.simulators.faults.clear_all()
    await provider.close()
