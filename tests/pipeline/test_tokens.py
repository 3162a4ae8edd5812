"""Tokens for Kafka: one serves until it is about to end, and what a server may do instead."""

import asyncio
import time

import pytest
from pydantic import SecretStr

from pipeline.kafka.brokers import Access
from pipeline.kafka.tokens import NoToken, Tokens
from tests.pipeline.secured_kafka import PASSWORD, TokenServer
from tests.pipeline.test_access import tokens as tokens


async def test_a_token_server_that_ends_in_the_middle(tokens: TokenServer) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(NoToken, match="gives no token"):
            await Tokens(f"http://127.0.0.1:{port}/", "a", SecretStr("b"), "", None).token()


async def test_one_token_serves_until_it_is_about_to_end(
    tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = Access(
        protocol="SASL_SSL",
        mechanism="OAUTHBEARER",
        user="alice",
        password=SecretStr(PASSWORD),
        token_url=f"{tokens.url}/token",
        token_scope="write read",
    )
    provider = access.options["sasl_oauth_token_provider"]
    first = await provider.token()
    assert await provider.token() == first
    assert tokens.asked == [{"grant_type": ["client_credentials"], "scope": ["write read"]}]
    now = time.monotonic()
    monkeypatch.setattr("pipeline.kafka.tokens.time.monotonic", lambda: now + 0.8 * tokens.life)
    await provider.token()
    assert len(tokens.asked) == 2
