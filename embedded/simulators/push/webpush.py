"""A browser's push service, and the browser too: it decrypts what it gets."""

import re
import time
from typing import Any
from urllib.parse import urlsplit

import http_ece
import jwt
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from embedded.simulators.accept_log import Accepted, AcceptLog, data_digest_of, digest_of, now
from embedded.simulators.credentials import Browser
from embedded.simulators.faults import Faults
from schemas.vocabulary import Channel
from sinks.push.vapid import decoded

AUTHORIZATION = re.compile(r"vapid t=([^,\s]+), ?k=([A-Za-z0-9_-]+)")
MOST_BYTES = 4096
MOST_TTL = 2_419_200
A_DAY = 86_400


class Payload(Struct):
    """What our service worker would read."""

    title: str = ""
    body: str = ""
    notification_id: str = ""
    delivery_id: str = ""
    data: dict[str, Any] = {}


class WebPushSimulator:
    """Accepts messages for any number of subscriptions of one browser."""

    name = "webpush"

    def __init__(self, browser: Browser, log: AcceptLog, faults: Faults) -> None:
        self._browser = browser
        self._log = log
        self._faults = faults

    async def send(self, request: web.Request) -> web.Response:
        """Check who sends, the headers, then whether the browser can read it."""
        if problem := self._problem_of(request):
            return problem
        number = int(request.match_info["number"])
        address = self._browser.subscription(f"{request.scheme}://{request.host}", number)
        if self._faults.is_dead(self.name, address):
            return web.Response(status=410, text="push subscription has unsubscribed or expired")
        if status := self._faults.refusal(self.name, address):
            return refuse(status)
        body = await request.read()
        if len(body) > MOST_BYTES:
            return web.Response(status=413)
        try:
            text = http_ece.decrypt(
                body,
                private_key=self._browser.private_key(),
                auth_secret=self._browser.auth_secret(),
                version="aes128gcm",
            )
            payload = msgspec.json.decode(text, type=Payload)
        except (http_ece.ECEException, ValueError, msgspec.MsgspecError):
            return web.Response(status=400, text="the browser can't read it")
        return self._accept(request, address, payload)

    def _accept(self, request: web.Request, address: str, payload: Payload) -> web.Response:
        reference = f"{request.scheme}://{request.host}/message/{payload.delivery_id}"
        accepted = Accepted(
            at=now(),
            provider=self.name,
            channel=Channel.PUSH,
            notification_id=payload.notification_id,
            delivery_id=payload.delivery_id,
            address=address,
            title=payload.title,
            digest=digest_of(payload.body),
            reference=reference,
            data=data_digest_of(payload.data),
        )
        self._log.append((accepted,))
        return web.Response(status=201, headers={"Location": reference})

    def _problem_of(self, request: web.Request) -> web.Response | None:
        match = AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if match is None:
            return web.Response(status=401, text="no VAPID")
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(match[2]))
            audience = f"{request.scheme}://{urlsplit(str(request.url)).netloc}"
            claims = jwt.decode(match[1], key, ["ES256"], audience=audience)
        except (ValueError, jwt.InvalidTokenError):
            return web.Response(status=403, text="VAPID is not valid")
        if claims.get("exp", 0) > time.time() + A_DAY or "sub" not in claims:
            return web.Response(status=403, text="VAPID is not valid")
        if match[2] != self._browser.subscribed_with:
            return web.Response(status=403, text="another application server's subscription")
        ttl = request.headers.get("TTL", "")
        if not ttl.isdecimal() or int(ttl) > MOST_TTL:
            return web.Response(status=400, text="TTL")
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,32}", request.headers.get("Topic", "")):
            return web.Response(status=400, text="Topic")
        if request.headers.get("Content-Encoding") != "aes128gcm":
            return web.Response(status=415, text="Content-Encoding")
        return None


def refuse(status: int) -> web.Response:
    """A push service's error with this HTTP status."""
    return web.Response(status=status, text="refused")
