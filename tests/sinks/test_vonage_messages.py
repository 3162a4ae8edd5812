"""Vonage's Messages API: who calls, and what an application's token says."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest
from pydantic import SecretStr
from vonage_jwt import JwtClient

from embedded.simulators.credentials import Credentials
from schemas.vocabulary import Channel, Reason
from sinks.provider import Sent, TransientFailure
from sinks.sms.vonage_messages import VonageMessages
from sinks.vonage import LIFETIME, RENEW_MS, VonageAccount
from tests.sinks.requests.recorder import Still
from tests.sinks.rig import Case, Rig

NO_KEY: dict[str, Any] = {"vonage_application_id": "", "vonage_private_key": None}
ACCOUNT: list[tuple[Mapping[str, Any], str]] = [
    ({"vonage_messages_url": "vonage"}, "TOCSIN_VONAGE_MESSAGES_URL"),
    ({"vonage_private_key": None}, "TOCSIN_VONAGE_PRIVATE_KEY is not set"),
    ({"vonage_private_key": Path("nowhere.pem")}, "nowhere.pem is not a key file"),
    ({"vonage_application_id": ""}, "TOCSIN_VONAGE_APPLICATION_ID is not set"),
    (NO_KEY | {"vonage_api_key": ""}, "TOCSIN_VONAGE_API_KEY is not set"),
    (NO_KEY | {"vonage_api_secret": ""}, "TOCSIN_VONAGE_API_SECRET is not set"),
]
VONAGEMESSAGES = Case(
    kind=VonageMessages,
    channel=Channel.SMS,
    address="+1500555{:04d}",
    invalid="12",
    dead=Reason.INVALID_ADDRESS,
    titled=False,
    url_setting="vonage_messages_url",
    misconfigured=[*ACCOUNT, ({"sms_from": ""}, "TOCSIN_SMS_FROM is not set")],
)
alone = pytest.mark.parametrize("rig", ["vonagemessages"], indirect=True)


@alone
@pytest.mark.parametrize("update", [{}, NO_KEY])
async def test_an_application_calls_by_its_token_and_an_account_by_its_key(
    rig: Rig, update: dict[str, Any]
) -> None:
    provider = VonageMessages(rig.settings.model_copy(update=update), rig.http)
    await provider.check()
    (outcome,) = await provider.send([rig.delivery()])
    rig.assert_secretless(outcome)
    assert isinstance(outcome, Sent)


@alone
@pytest.mark.parametrize(
    "update",
    [
        {"vonage_application_id": "00000000-0000-4000-8000-000000000000"},
        NO_KEY | {"vonage_api_secret": SecretStr("x")},
        {"sms_from": "#"},
    ],
)
async def test_a_refused_setting_loses_nobody(rig: Rig, update: dict[str, Any]) -> None:
    provider = VonageMessages(rig.settings.model_copy(update=update), rig.http)
    (outcome,) = await provider.send([rig.delivery()])
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED


@alone
async def test_a_key_of_another_kind_is_told(rig: Rig) -> None:
    other = {"vonage_private_key": rig.settings.apns_key}
    account = VonageAccount(rig.settings.model_copy(update=other), rig.http)
    with pytest.raises(Exception, match="holds no RSA key"):
        account.check()


def claims_of(header: str) -> dict[str, Any]:
    token = header.removeprefix("Bearer ")
    options: Any = {"verify_signature": False}
    return {**jwt.decode(token, options=options), **jwt.get_unverified_header(token)}


@alone
async def test_a_token_says_what_vonages_own_package_has_it_say(
    rig: Rig, running_accounts: Credentials
) -> None:
    now = int(time.time())
    ours = claims_of(VonageAccount(rig.settings, rig.http, Still(now * 1000)).authorization())
    client = JwtClient(running_accounts.vonage_application_id, running_accounts.vonage_private_key)
    theirs = claims_of(client.generate_application_jwt({"iat": now}).decode())
    assert ours.pop("jti") != theirs.pop("jti")
    assert ours == theirs
    assert (ours["iat"], ours["exp"]) == (now, now + LIFETIME)


@alone
async def test_a_token_is_made_anew_before_it_ends(rig: Rig) -> None:
    clock = Still()
    account = VonageAccount(rig.settings, rig.http, clock)
    first = account.authorization()
    clock.time += RENEW_MS - 1
    assert account.authorization() == first
    clock.time += 1
    second = account.authorization()
    assert second != first
    assert claims_of(second)["exp"] == clock.time // 1000 + LIFETIME
    # A clock that was set back made it too early.
    clock.time -= 1000
    assert account.authorization() != second
