import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.rendering.locales import chain, is_locale, locale_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pt-BR", "pt_BR pt"),
        ("pt_BR", "pt_BR pt"),
        ("PT-br", "pt_BR pt"),
        ("pt-AO", "pt_AO pt_PT pt"),
        ("es-MX", "es_MX es_419 es"),
        ("zh-TW", "zh_Hant_TW zh_Hant zh"),
        ("de_DE.UTF-8", "de_DE de"),
        ("sr_RS@latin", "sr_Cyrl_RS sr_Cyrl sr"),
        ("de-XX", "de"),
        ("en-US-u-ca-buddhist", "en_US en"),
        ("no", "no nb"),
        ("no-NO", "no nb"),
        ("nn-NO", "nn_NO nn no nb"),
        ("nb", "nb no"),
        ("iw-IL", "he_IL he"),
        ("xx-YY", ""),
        ("@@@", ""),
        ("", ""),
        ("../../etc/passwd", ""),
        ("-", ""),
    ],
)
def test_chains(name: str, expected: str) -> None:
    assert " ".join(chain(name)) == expected


@given(st.text() | st.text(alphabet="abdenptzh-_.@BRT0", max_size=12))
def test_every_name_has_a_locale(name: str) -> None:
    assert str(locale_of(name)) == (chain(name) or ("en",))[0]


def test_a_locale_of_the_catalogue_must_be_known_as_a_whole() -> None:
    assert is_locale("de-AT")
    assert not is_locale("de-XX")
    assert not is_locale("xx")
