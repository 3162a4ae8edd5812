"""A receiver of webhooks, which checks them by the library that Standard Webhooks gives out."""

import msgspec
from aiohttp import web
from msgspec import Struct
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from embedded.simulators.faults import Faults
from schemas.vocabulary import Channel
from sinks.webhook.secret import secret_of


class Data(Struct):
    """What the receiver reads of what happened."""

    notification_id: str
    body: str
    title: str = ""


class Payload(Struct):
    """A webhook's body."""

    data: Data


class WebhookSimulator:
    """Any number of receivers, each with the secret that `tocsin webhooks secret` tells."""

    name = "standard"

    def __init__(self, key: str, log: AcceptLog, faults: Faults) -> None:
        self._key = key.encode()
        self._log = log
        self._faults = faults

    async def receive(self, request: web.Request) -> web.Response:
        """Check the signature over the raw body, then take it."""
        url = f"{request.scheme}://{request.host}{request.path}"
        if self._faults.is_dead(self.name, url):
            return web.Response(status=410)
        body = await request.read()
        secret = secret_of(self._key, "default", url)
        try:
            Webhook(secret).verify(body, dict(request.headers), json_parse=False)
            data = msgspec.json.decode(body, type=Payload).data
        except WebhookVerificationError:
            return web.Response(status=401)
        except msgspec.MsgspecError:
            return web.Response(status=400)
        name = request.headers["webhook-id"]
        accepted = Accepted(
            at=now(),
            provider=self.name,
            channel=Channel.WEBHOOK,
            notification_id=data.notification_id,
            delivery_id=name,
            address=url,
            title=data.title,
            digest=digest_of(data.body),
            reference=name,
        )
        self._log.append((accepted,))
        return web.Response(status=204)


def refuse(status: int) -> web.Response:
    """A receiver's error."""
    return web.Response(status=status)
