"""Every way into a Kafka that asks who one is, and what is said where it does not let us in.

Kafka itself is the oracle; certificates, tokens and passwords are checked by it alone.
"""

import asyncio
import json
import os
import re
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from pydantic import SecretStr

from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.brokers import Access, Brokers, Mechanism
from pipeline.kafka.clients import administrator
from pipeline.kafka.tokens import NoToken, Tokens
from pipeline.kafka.topic_reading import read_topic
from pipeline.monitoring.metrics import STALE_SECRETS
from pipeline.producing.producer import start_producer
from pipeline.secret_file import FileSecret
from pipeline.settings import Settings
from pipeline.variables import settings_of
from schemas.errors import ExitCode, Unavailable
from schemas.topics import AUDIT, DEAD_LETTERS, ERASURES, Topic
from tests.certificates import Authority
from tests.patience import until
from tests.pipeline.mounted import Mounted
from tests.pipeline.recorder import PARTITIONS, Recorder
from tests.pipeline.secured_kafka import PASSWORD, SecuredKafka, TokenServer

TOPIC = Topic(name="guarded", key="k", written_by="", read_by="")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def tokens() -> Iterator[TokenServer]:
    with TokenServer() as server:
        yield server


@pytest.fixture(scope="module")
async def kafka(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority, tokens: TokenServer
) -> AsyncIterator[SecuredKafka]:
    folder = tmp_path_factory.mktemp("secured")
    async with SecuredKafka(folder, authority, f"{tokens.url}/keys") as kafka:
        await create_topics(
            Settings(kafka=kafka.address, partitions=1), [TOPIC, DEAD_LETTERS, ERASURES, AUDIT]
        )
        yield kafka


@pytest.fixture(scope="module")
def own(authority: Authority) -> Path:
    """A certificate of ours; making a key takes longer than most tests here."""
    return authority.issue("carol")


@pytest.fixture
def ways(
    kafka: SecuredKafka, authority: Authority, tokens: TokenServer, own: Path
) -> dict[str, Brokers]:
    """By their names."""
    alice = Access(
        protocol="SASL_SSL",
        user="alice",
        password=SecretStr(PASSWORD),
        ca_file=authority.file,
        token_url=f"{tokens.url}/token",
        token_scope="write read",
    )
    certified = Access(protocol="SSL", ca_file=authority.file, certificate_file=own, key_file=own)
    mechanisms: tuple[Mechanism, ...] = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
    return {each: Brokers(kafka.login, replace(alice, mechanism=each)) for each in mechanisms} | {
        "a certificate": Brokers(kafka.mutual, certified)
    }


@pytest.mark.parametrize(
    "way", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "a certificate"]
)
async def test_each_way_leads_in(ways: dict[str, Brokers], way: str) -> None:
    value = way.encode()
    producer = await start_producer(ways[way])
    try:
        await producer.write(TOPIC.name, 0, [(None, value)])
    finally:
        await producer.stop()
    read = [record.value async for record in read_topic(ways[way], TOPIC.name)]
    assert read[-1] == value
    async with administrator(ways[way]) as admin:
        assert TOPIC.name in await admin.list_topics()


SCRAM = "SCRAM-SHA-512"


async def refused(brokers: Brokers) -> str:
    """What is said to whoever wants in so."""
    with pytest.raises(Unavailable) as said:
        await start_producer(brokers)
    with pytest.raises(Unavailable) as of_admin:
        async with administrator(brokers):
            pass
    assert str(of_admin.value) == str(said.value)
    assert PASSWORD not in str(said.value)
    return str(said.value)


@pytest.mark.parametrize("way", ["PLAIN", SCRAM])
async def test_a_wrong_password(ways: dict[str, Brokers], way: str) -> None:
    wrong = replace(ways[way].access, password=SecretStr("guessed"))
    said = await refused(replace(ways[way], access=wrong))
    assert "does not let us in: it refuses alice" in said
    assert "TOCSIN_KAFKA_PASSWORD" in said
    assert "guessed" not in said


async def test_an_authority_that_nobody_trusts(ways: dict[str, Brokers]) -> None:
    said = await refused(replace(ways[SCRAM], access=replace(ways[SCRAM].access, ca_file=None)))
    assert "its certificate can't be trusted" in said
    assert "TOCSIN_KAFKA_CA_FILE" in said


async def test_a_certificate_of_ours_that_has_ended(
    ways: dict[str, Brokers], authority: Authority
) -> None:
    ended = authority.issue("dave", ended=True)
    access = replace(ways["a certificate"].access, certificate_file=ended, key_file=ended)
    said = await refused(replace(ways["a certificate"], access=access))
    assert re.search(r"our certificate in TOCSIN_KAFKA_CERTIFICATE_FILE ended on \d{4}-", said)


async def test_no_certificate_of_ours(ways: dict[str, Brokers]) -> None:
    access = replace(ways["a certificate"].access, certificate_file=None, key_file=None)
    said = await refused(replace(ways["a certificate"], access=access))
    assert "TOCSIN_KAFKA_CERTIFICATE_FILE" in said


async def test_in_the_clear_where_it_wants_tls(kafka: SecuredKafka) -> None:
    said = await refused(Brokers(kafka.login))
    assert "TOCSIN_KAFKA_SECURITY_PROTOCOL is PLAINTEXT" in said


async def test_tls_where_it_talks_in_the_clear(
    kafka: SecuredKafka, ways: dict[str, Brokers]
) -> None:
    said = await refused(Brokers(kafka.address, ways[SCRAM].access))
    assert "TOCSIN_KAFKA_SECURITY_PROTOCOL is SASL_SSL, and it may want another" in said


async def test_a_mechanism_that_it_does_not_take(
    kafka: SecuredKafka, ways: dict[str, Brokers]
) -> None:
    said = await refused(Brokers(kafka.mutual, ways[SCRAM].access))
    assert "does not let us in" in said


async def test_a_token_server_that_knows_us_not(ways: dict[str, Brokers]) -> None:
    wrong = replace(ways["OAUTHBEARER"].access, password=SecretStr("guessed"))
    said = await refused(replace(ways["OAUTHBEARER"], access=wrong))
    assert "gives no token: it answers 401" in said


async def test_a_token_that_brokers_refuse(ways: dict[str, Brokers], tokens: TokenServer) -> None:
    """Kafka's client takes it for good once it is sent, and would ask for ever."""
    life, tokens.life = tokens.life, -600
    try:
        said = await refused(
            replace(ways["OAUTHBEARER"], access=replace(ways["OAUTHBEARER"].access))
        )
    finally:
        tokens.life = life
    assert "does not let us in: it refuses our token" in said


@pytest.mark.parametrize("way", [SCRAM, "a certificate"])
async def test_no_login_where_one_is_wanted(
    ways: dict[str, Brokers], kafka: SecuredKafka, way: str
) -> None:
    access = replace(ways["a certificate"].access, certificate_file=None, key_file=None)
    said = await refused(Brokers(kafka.login, access))
    assert "TOCSIN_KAFKA_SECURITY_PROTOCOL" in said


async def test_the_first_broker_is_away_or_unknown_and_the_second_refuses(
    ways: dict[str, Brokers],
) -> None:
    wrong = replace(ways[SCRAM].access, password=SecretStr("guessed"))
    for first in ("127.0.0.1:9", "[::1]:9", "no-such-host.invalid:9092", ""):
        said = await refused(Brokers(f"{first}, {ways[SCRAM].addresses},", wrong))
        assert "it refuses alice" in said


@pytest.mark.parametrize("body", [b"<html>", b'{"access_token": null}', b"[1]", b"{}", b""])
async def test_a_token_server_that_answers_something_else(
    tokens: TokenServer, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr("pipeline.kafka.tokens.json.load", lambda _: json.loads(body))
    url = f"{tokens.url}/token?key=hidden".replace("http://", "http://me:hidden@")
    with pytest.raises(NoToken, match="gives no token") as said:
        await Tokens(url, "alice", SecretStr(PASSWORD), "", None).token()
    assert "hidden" not in str(said.value)


async def test_a_token_server_that_is_away(ways: dict[str, Brokers]) -> None:
    away = replace(ways["OAUTHBEARER"].access, token_url="http://127.0.0.1:9/token")
    said = await refused(replace(ways["OAUTHBEARER"], access=away))
    assert "http://127.0.0.1:9/token gives no token" in said


async def test_a_broker_that_is_away_is_away(ways: dict[str, Brokers]) -> None:
    with pytest.raises(Unavailable, match=r"does not answer at 127\.0\.0\.1:9"):
        await start_producer(replace(ways[SCRAM], addresses="127.0.0.1:9"))


async def test_a_token_server_behind_tls_is_trusted_as_the_brokers_are(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And as the web is: a company's authority vouches for its brokers alone."""
    trusted: list[ssl.SSLContext] = []
    make = ssl.create_default_context

    def note() -> ssl.SSLContext:
        trusted.append(make())
        return trusted[-1]

    monkeypatch.setattr("pipeline.kafka.tokens.ssl.create_default_context", note)
    with TokenServer(authority.issue("tokens")) as server:
        url = f"{server.url}/token"
        assert await Tokens(url, "alice", SecretStr(PASSWORD), "", authority.file).token()
        with pytest.raises(NoToken, match="CERTIFICATE_VERIFY_FAILED"):
            await Tokens(url, "alice", SecretStr(PASSWORD), "", None).token()
    ours, web = (len(each.get_ca_certs()) for each in trusted)
    assert ours == web + 1


async def test_a_worker_reads_and_writes_behind_tls_and_a_password(
    kafka: SecuredKafka, ways: dict[str, Brokers]
) -> None:
    recorder = Recorder(kafka.address)
    await recorder.fill(5)
    recorder.settings = settings_of(variables(ways[SCRAM]) | {"TOCSIN_PARTITIONS": "3"})
    async with recorder.worker():
        await until(lambda: recorder.count() == 5 * PARTITIONS)


def variables(brokers: Brokers) -> dict[str, str]:
    """How an operator says it."""
    access = brokers.access
    return {
        "TOCSIN_KAFKA": brokers.addresses,
        "TOCSIN_KAFKA_SECURITY_PROTOCOL": access.protocol,
        "TOCSIN_KAFKA_SASL_MECHANISM": access.mechanism,
        "TOCSIN_KAFKA_USER": access.user,
        "TOCSIN_KAFKA_PASSWORD": access.password.get_secret_value(),
        "TOCSIN_KAFKA_CA_FILE": str(access.ca_file),
    }


async def tocsin(brokers: Brokers, *argv: str, **more: str) -> tuple[int, str]:
    """A command, as an operator runs it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *argv),
        env={**os.environ, **variables(brokers), **more},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    assert PASSWORD not in said.decode()
    return process.returncode, said.decode()


async def test_commands_get_in_and_say_in_a_sentence_why_they_do_not(
    ways: dict[str, Brokers], tmp_path: Path
) -> None:
    listed = await tocsin(ways[SCRAM], "dead-letters", "list", "--json", TOCSIN_PARTITIONS="1")
    assert listed[0] == 0, listed[1]
    wrong = replace(ways[SCRAM].access, password=SecretStr("guessed"))
    code, said = await tocsin(
        replace(ways[SCRAM], access=wrong), "worker", "router", TOCSIN_DATA_DIR=str(tmp_path)
    )
    assert code == ExitCode.NO_PERMISSION
    assert "does not let us in: it refuses alice" in said.splitlines()[-1]
    assert "Traceback" not in said


async def again(admin: AIOKafkaAdminClient) -> set[str]:
    """Topics, asked for by new connections."""
    client = admin._client
    for connection in list(client._conns.values()):
        connection.close()
    client._conns.clear()
    return set(await admin.list_topics())


@pytest.mark.parametrize("way", [SCRAM, "OAUTHBEARER"])
async def test_a_password_that_is_replaced_serves_connections_to_come(
    ways: dict[str, Brokers],
    kafka: SecuredKafka,
    tokens: TokenServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    """Of clients that run already, and of those that are made from the same settings."""
    monkeypatch.setattr("pipeline.replaced_files.LOOK_SECONDS", 0)
    user = "alice" if way == "OAUTHBEARER" else "bob"
    old = PASSWORD if way == "OAUTHBEARER" else "old-sesame"
    mounted = Mounted(tmp_path / "secrets", password=old)
    secret = FileSecret("kafka_password", mounted["password"])
    access = replace(ways[way].access, user=user, password=secret)
    brokers = replace(ways[way], access=access)

    def change(password: str) -> None:
        if way == "OAUTHBEARER":
            monkeypatch.setattr("tests.pipeline.secured_kafka.PASSWORD", password)
            access.options["sasl_oauth_token_provider"]._until = 0.0
        else:
            kafka.set_password(user, password)

    change(old)
    async with administrator(brokers) as admin:
        assert TOPIC.name in await admin.list_topics()
        change("new-sesame")
        assert "old-sesame" not in await refused_at_all(brokers)
        mounted.swap(password="")
        await refused_at_all(brokers)
        mounted.swap(password="new-sesame\n")
        assert TOPIC.name in await again(admin)
    async with administrator(brokers) as admin:
        assert TOPIC.name in await admin.list_topics()


async def refused_at_all(brokers: Brokers) -> str:
    with pytest.raises(Unavailable) as said:
        async with administrator(brokers):
            pass
    return str(said.value)


async def test_a_certificate_that_is_replaced_serves_connections_to_come(
    ways: dict[str, Brokers],
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("pipeline.replaced_files.LOOK_SECONDS", 0)
    right = authority.issue("erin").read_bytes()
    mounted = Mounted(tmp_path / "secrets", pem=authority.issue("erin", ended=True).read_bytes())
    access = replace(
        ways["a certificate"].access, certificate_file=mounted["pem"], key_file=mounted["pem"]
    )
    brokers = replace(ways["a certificate"], access=access)
    await refused_at_all(brokers)
    mounted.swap(pem=right)
    async with administrator(brokers) as admin:
        assert TOPIC.name in await admin.list_topics()
        mounted.swap(pem=right[:500])
        assert TOPIC.name in await again(admin)
    assert "What was there before stays in use" in caplog.text
    assert STALE_SECRETS.labels("kafka_certificate_file")._value.get() == 1
