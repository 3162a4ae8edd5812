"""The pages of the unsubscribe link, in the words that people read."""

from collections.abc import Callable

import pytest

from web.links.pages import ask_page, back_page, done_page, later_page, unknown_page


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
        (ask_page, "Unsubscribe?", "You will get no more {}.", ("unsubscribe", "Unsubscribe")),
        (
            done_page, "You are unsubscribed", "You will get no more {}.",
            ("subscribe", "Subscribe again"),
        ),
        (back_page, "You are subscribed", "You will get {} again.", None),
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


def test_what_could_not_be_done_has_no_button() -> None:
    for page, title in (
        (unknown_page(), "This link is not valid"),
        (later_page(), "Please try again"),
    ):
        assert f"<title>{title}</title>" in page
        assert f"<h1>{title}</h1>" in page
        assert "<form" not in page
