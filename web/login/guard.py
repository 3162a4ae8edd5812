"""Whether a request that brings a session's cookie comes from our own pages."""

import hmac

from aiohttp import web

from pipeline.clock import Clock
from pipeline.settings import Settings
from web.api.keys import ApiKey
from web.api.problem import Problem
from web.login.session import Session, read_session, session_key

PROOF = "X-Tocsin-Proof"
"""The header in which a page sends the proof of its session."""
SAFE = ("GET", "HEAD")
OWN = ("same-origin", "none")
"""What browsers say of requests by our pages, and by whoever types the address."""


class Guard:
    """Reads the cookies of requests.

    A cookie comes with whatever a browser sends here, also by another site's page. So it is
    SameSite=Strict, requests that a browser says are of another origin get nothing by it, and what
    changes something brings the proof that only a page of ours can read.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        signing_key = settings.signing_key.get_secret_value().encode()
        self.key = session_key(signing_key, settings.oidc_issuer, settings.oidc_client_id)
        self.is_secure = pages_url(settings).startswith("https:")
        # Browsers take such a name from this very host alone, over TLS.
        self.cookie = "__Host-tocsin-session" if self.is_secure else "tocsin-session"
        self._clock = clock

    def session(self, request: web.Request) -> Session | None:
        """The session that the request brings, if any counts."""
        cookie = request.cookies.get(self.cookie)
        if not cookie or request.headers.get("Sec-Fetch-Site", "none") not in OWN:
            return None
        return read_session(cookie, self.key, self._clock.now() // 1000)

    def key_of(self, request: web.Request) -> ApiKey | None:
        """What the API takes whoever is logged in for; raises Problem without the proof."""
        session = self.session(request)
        if session is None:
            return None
        if request.method not in SAFE:
            self.require_proof(request, session)
        return session.key

    def require_proof(self, request: web.Request, session: Session) -> None:
        """Raises Problem for what no page of ours sends."""
        sent = request.headers.get(PROOF, "").encode(errors="replace")
        if not hmac.compare_digest(sent, session.proof(self.key).encode()):
            raise Problem(403, f"Whoever is logged in sends {PROOF} with what changes something.")


def pages_url(settings: Settings) -> str:
    """Where people reach the pages, without a slash at its end."""
    return (settings.pages_url or settings.public_url).rstrip("/")
