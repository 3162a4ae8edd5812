"""Whether people can log in: what can be known of it before anybody tries."""

from collections.abc import AsyncIterator

from agents.check.findings import Finding, State
from pipeline.clock import SystemClock
from pipeline.settings import Settings
from schemas.errors import Misconfigured, Unavailable
from web.login.guard import pages_url
from web.login.provider import Provider
from web.login.rights import Mapped

_SUBJECT = "Log-in"


async def check_login(settings: Settings) -> AsyncIterator[Finding]:
    """Ask the provider for what it says of itself and for its keys; nothing is said without one.

    Whether it knows our client and its secret, only a log-in shows.
    """
    if not settings.oidc_issuer:
        return
    todo = "set TOCSIN_OIDC_… to what the provider's administrators say"
    try:
        Mapped(settings)
        provider = Provider(settings, SystemClock())
    except Misconfigured as error:
        yield Finding(_SUBJECT, State.FAILED, str(error), todo)
        return
    try:
        keys = await provider.key_count()
    except Unavailable as error:
        yield Finding(_SUBJECT, State.FAILED, str(error), todo)
        return
    finally:
        await provider.close()
    if not keys:
        yield Finding(_SUBJECT, State.FAILED, f"{settings.oidc_issuer} shows no keys", todo)
        return
    said = (
        f"{settings.oidc_issuer} answers; that it sends people back to {pages_url(settings)} only "
        "a log-in shows"
    )
    yield Finding(_SUBJECT, State.OK, said)
