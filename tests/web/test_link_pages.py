"""The pages of the unsubscribe link, in the words that people read."""

from collections.abc import Callable

import pytest

from policy.user.preference_matrix import Remainder
from schemas.vocabulary import Channel
from web.links.pages import Pages
from web.links.words import WORDS

ENGLISH = Pages("en")
NOTHING, SOME, ALL = Remainder.NOTHING, Remainder.SOME, Remainder.ALL


@pytest.mark.parametrize(
    ("channel", "named"),
    [
        ("email", "e-mail"),
        ("sms", "text messages"),
        ("push", "push messages"),
        ("chat", "chat"),
        ("<b>", "&lt;b&gt;"),
    ],
)
@pytest.mark.parametrize(
    ("page", "title", "said", "form"),
    [
        (
            lambda what, by: ENGLISH.ask(what, by, NOTHING), "Unsubscribe?",
            "You will get no more {}.", ("unsubscribe", "Unsubscribe"),
        ),
        (
            lambda what, by: ENGLISH.done(what, by, NOTHING), "You are unsubscribed",
            "You will get no more {}.", ("subscribe", "Subscribe again"),
        ),
        (ENGLISH.back, "You are subscribed", "You will get {} again.", None),
    ],
)  # fmt: skip
def test_what_is_left_and_how_to_come_back(
    page: Callable[[str, str], str],
    title: str,
    said: str,
    form: tuple[str, str] | None,
    channel: str,
    named: str,
) -> None:
    text = page("new & old", channel)
    what = f"{named} about <strong>new &amp; old</strong>"
    assert f"<title>{title}</title>" in text
    assert f"<h1>{title}</h1>\n<p>{said.format(what)}</p>" in text
    if form is None:
        assert "<form" not in text
    else:
        do, label = form
        field = f'<input type="hidden" name="do" value="{do}">'
        assert f'<form method="post">{field}<button>{label}</button></form>' in text


@pytest.mark.parametrize("page", [ENGLISH.ask, ENGLISH.done])
def test_what_comes_all_the_same_is_said(page: Callable[[str, str, Remainder], str]) -> None:
    needed = "What you need, such as receipts and security messages, still comes."
    assert needed not in page("rides", "email", NOTHING)
    some = page("rides", "email", SOME)
    assert f"no more e-mail about <strong>rides</strong>.</p><p>{needed}</p><form" in some
    whole = page("rides", "email", ALL)
    assert "<h1>These messages always come</h1>" in whole
    assert "<form" not in whole


def test_what_could_not_be_done_has_no_button() -> None:
    for page, title in (
        (ENGLISH.unknown(), "This link is not valid"),
        (ENGLISH.over(), "This link has ended"),
        (ENGLISH.later(), "Please try again"),
    ):
        assert f"<title>{title}</title>" in page
        assert f"<h1>{title}</h1>" in page
        assert "<form" not in page


def test_every_language_has_every_word() -> None:
    for words in WORDS.values():
        assert words.keys() == WORDS["en"].keys()
        assert all(words.values())
        assert {Channel.EMAIL, Channel.SMS, SOME, ALL} <= words.keys()
