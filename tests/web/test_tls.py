"""TLS on our own wires: the web's, and that of questions to workers."""

import asyncio
import logging
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from pipeline.process.queries import NotOwner, Queries
from pipeline.settings import Settings
from pipeline.tls import Certificate, trusting
from schemas.encoding import encode
from schemas.errors import Misconfigured
from schemas.question import Owner
from tests.certificates import Authority
from web.app import serving
from web.workers.partition_router import Owners

KEY = SecretStr("k" * 32)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def ask(url: str, authority: Authority) -> tuple[str, str]:
    """What is answered, and the certificate that is shown."""
    tls = trusting("X", authority.file)
    async with aiohttp.ClientSession() as session, session.get(url, ssl=tls) as answer:
        said = await answer.text()
    place = ("127.0.0.1", urlsplit(url).port or 0)
    return said, await asyncio.to_thread(ssl.get_server_certificate, place)


async def test_the_web_answers_with_its_certificate_and_with_its_next_one(
    authority: Authority, tmp_path: Path
) -> None:
    file = tmp_path / "web.pem"
    file.write_bytes(authority.issue("web").read_bytes())
    certificate = Certificate("TOCSIN_WEB_CERTIFICATE_FILE", file, None)
    app = web.Application()
    app.add_routes([web.get("/", hello)])
    async with serving(app, "127.0.0.1", 0, tls=certificate.context) as url:
        assert url.startswith("https://")
        said, first = await ask(url, authority)
        assert said == "hello"
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientError):
                await session.get(url.replace("https", "http"))
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(url)
        replaced = tmp_path / "next.pem"
        replaced.write_bytes(authority.issue("next").read_bytes())
        replaced.replace(file)
        certificate.refresh()
        assert (await ask(url, authority))[1] != first


def test_a_certificate_that_can_not_be_used(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "web.pem"
    with pytest.raises(Misconfigured, match=r"^TOCSIN_X can't be used: .*web\.pem"):
        Certificate("TOCSIN_X", file, None)
    file.write_text("no certificate")
    with pytest.raises(Misconfigured, match=r"^TOCSIN_X can't be used: .*web\.pem"):
        Certificate("TOCSIN_X", file, None)
    with pytest.raises(Misconfigured, match=r"^TOCSIN_Y can't be used"):
        trusting("TOCSIN_Y", file)
    file.write_bytes(authority.issue("web").read_bytes())
    certificate = Certificate("TOCSIN_X", file, None)
    caplog.set_level(logging.WARNING)
    file.unlink()
    certificate.refresh()
    certificate.refresh()
    assert [each.message.endswith("That of before stays in use.") for each in caplog.records] == [
        True
    ]


class Held:
    def frontier(self, number: int, topic: str) -> int:
        raise NotOwner

    async def answer(self, number: int, question: bytes) -> bytes:
        return b'{"it":"is answered"}'


async def asked(queries: Queries, **of_web: object) -> bytes:
    owners = Owners(Settings(signing_key=KEY, **of_web))  # type: ignore[arg-type]
    try:
        owners._note(encode(Owner(role="decider", partition=0, url=queries.url_of("decider"))))
        url = owners._urls["decider", 0]
        return await owners._post(url, "/0", b"{}")
    finally:
        await owners._session.close()


async def test_the_web_asks_workers_whom_it_trusts_and_no_others(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = authority.issue("worker")
    queries = Queries(Settings(signing_key=KEY, query_certificate_file=certificate))
    queries.answer_for("decider", Held())
    await queries.start()
    try:
        assert queries.url_of("decider").startswith("https://127.0.0.1:")
        answer = b'{"it":"is answered"}'
        assert await asked(queries, query_ca_file=authority.file) == answer
        named = {"query_ca_file": authority.file, "query_certificate_name": "localhost"}
        assert await asked(queries, **named) == answer
        assert await asked(queries) == b""
        assert "TOCSIN_QUERY_CA_FILE" in caplog.text
        caplog.clear()
        assert await asked(queries, **{**named, "query_certificate_name": "other"}) == b""
        assert "TOCSIN_QUERY_CERTIFICATE_NAME" in caplog.text
    finally:
        await queries.stop()


async def test_without_a_certificate_it_is_as_it_was() -> None:
    queries = Queries(Settings(signing_key=KEY))
    queries.answer_for("decider", Held())
    await queries.start()
    try:
        assert queries.url_of("decider").startswith("http://127.0.0.1:")
        assert await asked(queries) == b'{"it":"is answered"}'
    finally:
        await queries.stop()
