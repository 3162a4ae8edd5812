"""Where calls and links lead: to the URL of the setting, with a slash at its end or without."""

from typing import Any

import pytest

from pipeline.settings import Settings
from schemas.delivery import Content
from schemas.errors import Misconfigured
from schemas.vocabulary import Channel
from sinks.email.return_path import ReturnPath
from sinks.sms.sms_provider import Text, Texting
from sinks.tracking import Tracking
from tests.sinks.cases import CASES
from tests.sinks.requests.recorder import Recorder, delivery
from tests.sinks.requests.recorder import settings as known
from tests.sinks.rig import delivery as of_case

NAMES = sorted(
    name
    for name, case in CASES.items()
    if f"{name}_url" in Settings.model_fields and case.speaks_http
)
WITH_SLASH_OR_NOT = pytest.mark.parametrize("end", ["", "/"], ids=["bare", "slash"])
BOX = "https://example.com/BOX"
"""Ends in a letter that could be taken for what is to be cut off."""


def provider(name: str, settings: Settings, url: str, http: Recorder) -> Any:
    made = CASES[name].kind(settings.model_copy(update={f"{name}_url": url}), http)
    made._http = http  # type: ignore[attr-defined]  # Apple's has one of its own.
    return made


@WITH_SLASH_OR_NOT
@pytest.mark.parametrize("name", NAMES)
async def test_a_provider_is_called_below_its_url(settings: Settings, name: str, end: str) -> None:
    http = Recorder()
    await provider(name, settings, f"{BOX}{end}", http).send([of_case(CASES[name])])
    assert http.request.url.startswith(f"{BOX}/")
    assert not http.request.url.startswith(f"{BOX}//")


@pytest.mark.parametrize("name", NAMES)
async def test_a_url_that_is_none_is_named(settings: Settings, name: str) -> None:
    said = rf"^TOCSIN_{name.upper()}_URL is not an http or https URL\.$"
    with pytest.raises(Misconfigured, match=said):
        await provider(name, settings, "example.com", Recorder()).check()


@WITH_SLASH_OR_NOT
def test_links_lead_below_the_public_url(end: str) -> None:
    settings = known(public_url=f"{BOX}{end}")
    html = '<body><a href="https://shop.example.com/7">7</a></body>'
    mail = delivery(
        Channel.EMAIL, "ada@example.com", content=Content(body="7", title="7", html=html)
    )
    assert ReturnPath(settings).headers(mail)["List-Unsubscribe"].startswith(f"<{BOX}/unsubscribe/")
    tracked = Tracking(settings).tracked(mail).content.html
    assert f'href="{BOX}/click/' in tracked
    assert f'src="{BOX}/open/' in tracked
    text = Texting(settings, "twilio").prepare(delivery(Channel.SMS, "+4930123456"))
    assert isinstance(text, Text)
    assert text.callback.startswith(f"{BOX}/webhooks/twilio?")
