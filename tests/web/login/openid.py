"""An OpenID provider that others wrote (npm's certified `oidc-provider`), and people's log-ins."""

import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from embedded.process import LOOPBACK, Child, free_port

HERE = Path(__file__).parent
MODULE = HERE.parents[2] / ".venv/openid/node_modules/oidc-provider/lib/index.js"
NODE = shutil.which("node")
CLIENT, SECRET = "tocsin pages", "a secret: with + and %"
PEOPLE = {
    "ada": {"email": "ada@example.com", "email_verified": True, "groups": ["oncall", "staff"]},
    "bob": {"email": "bob@example.com", "email_verified": True, "groups": ["staff"]},
    "eve": {"email": "eve@example.com", "email_verified": True, "groups": ["*"]},
}
_FORM = re.compile(r'<form[^>]*action="([^"]+)"')


class OpenId:
    """The provider's process; started again, it has other keys."""

    def __init__(self, folder: Path, pages: str, client: dict[str, Any]) -> None:
        """Whose only client has its pages there."""
        self.pages = pages
        self.issuer = f"http://{LOOPBACK}:{free_port()}"
        self._folder, self._child, self._starts = folder, Child("The OpenID provider"), 0
        self._given = {
            "client": {
                "client_id": CLIENT,
                "client_secret": SECRET,
                "redirect_uris": [f"{pages}/login/return"],
                "post_logout_redirect_uris": [f"{pages}/dashboard"],
                **client,
            },
            "people": PEOPLE,
            "claims": {
                "openid": ["sub"],
                "email": ["email", "email_verified"],
                "groups": ["groups"],
            },
        }

    async def start(self) -> None:
        """With a key of its own each time; nothing happens if it runs."""
        if self._child.running:
            return
        self._starts += 1
        file = self._folder / "provider.json"
        file.write_text(json.dumps({**self._given, "jwks": {"keys": [new_jwk(self._starts)]}}))
        argv = [str(NODE), str(HERE / "provider.mjs"), str(MODULE), self.issuer, str(file)]
        log = self._folder / f"provider-{self._starts}.log"

        async def ready() -> bool:
            return log.exists() and "provider ready" in log.read_text()

        await self._child.start(argv, {}, log, ready)

    async def stop(self) -> None:
        """In order."""
        await self._child.stop()


@asynccontextmanager
async def openid(folder: Path, pages: str, **client: Any) -> AsyncIterator[OpenId]:
    """Running inside the block; the test is skipped where it can't be had."""
    if NODE is None or not MODULE.exists():
        pytest.skip("npm's oidc-provider is not installed, see .venv/openid in the Makefile")
    provider = OpenId(folder, pages, client)
    await provider.start()
    try:
        yield provider
    finally:
        await provider.stop()


async def approve(browser: aiohttp.ClientSession, url: str, who: str) -> str:
    """Log in at the provider as this person, as a browser does; where it then sends one."""
    form = {"prompt": "login", "login": who, "password": "any"}
    async with browser.get(url) as shown:
        action = _FORM.search(await shown.text())
        assert action is not None, await shown.text()
        url = urljoin(str(shown.url), action[1])
    method: Any = "POST"
    while "/login/return" not in url:
        data = form if method == "POST" else None
        async with browser.request(method, url, data=data, allow_redirects=False) as sent:
            assert sent.status in (302, 303), await sent.text()
            method, url = "GET", urljoin(url, sent.headers["Location"])
    return url


def new_jwk(number: int) -> dict[str, Any]:
    """A private key by the name of its number."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    made: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True)
    return {**made, "kid": f"key-{number}", "use": "sig", "alg": "RS256"}
