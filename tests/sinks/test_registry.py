"""Which providers a channel uses, as its setting lists them."""

import pytest

from pipeline.settings import Settings
from schemas.errors import Misconfigured
from schemas.vocabulary import Channel
from sinks.http.client import HttpClient
from sinks.registry import PROVIDERS, kind_of, providers_of
from tests.sinks.cases import CASES


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ("", "TOCSIN_EMAIL_PROVIDERS: '' is not NAME or NAME:WEIGHT"),
        ("sendgrid,", "'' is not"),
        ("sendgrid:-1", "is not NAME"),
        ("pigeon", "there is no provider 'pigeon'"),
        ("fcm", "fcm delivers by push"),
        ("sendgrid,sendgrid:0", "lists sendgrid twice"),
    ],
)
async def test_a_wrong_list_is_told(listed: str, said: str, http: HttpClient) -> None:
    with pytest.raises(Misconfigured, match=said):
        providers_of(Channel.EMAIL, Settings(email_providers=listed), http)


def test_each_provider_is_found_by_its_own_name() -> None:
    kinds = {name: kind_of(name) for name in PROVIDERS}
    assert {name: case.kind for name, case in CASES.items()} == kinds
    assert {kind.name for kind in kinds.values()} == set(PROVIDERS)  # type: ignore[attr-defined]


async def test_a_weight_is_1_unless_given(http: HttpClient) -> None:
    for listed, weight in (("sendgrid", 1), (" sendgrid:0 ", 0), ("sendgrid:70", 70)):
        (found,) = providers_of(Channel.EMAIL, Settings(email_providers=listed), http)
        assert (found.provider.name, found.weight) == ("sendgrid", weight)
