"""Which mails share a call, and what each of them keeps for itself."""

from typing import Any

import pytest

from schemas.delivery import Content, Delivery, Sender
from schemas.vocabulary import Channel
from sinks.email import mailgun, sendgrid_mail
from sinks.email.return_path import ReturnPath
from sinks.email.senders import From
from sinks.email.sendgrid_mail import HTML, MAX_SUBSTITUTIONS, SUBJECT, TEXT, mail_of
from sinks.email.ses import Ses
from tests.sinks.requests.recorder import Recorder, delivery, settings

ANN, BO = "ann@example.com", "bo@example.com"
PLAIN = Content(body="b", title="t")
SHOP = From("", "shop@example.com")
BOTH = Content(body="b", title="t", html="h")


def mail(address: str = ANN, content: Content = PLAIN, **fields: Any) -> Delivery:
    return delivery(Channel.EMAIL, address, content=content, **fields)


def bodied(title: str = "t", body: str = "b", html: str = "") -> Delivery:
    return mail(content=Content(body=body, title=title, html=html))


SHARED: list[tuple[list[Delivery], list[list[int]]]] = [
    ([], []),
    ([mail()], [[0]]),
    ([mail(ANN), mail(BO)], [[0, 1]]),
    # An address stands once in a call; whoever has two is in the first and the second.
    ([mail(ANN), mail(BO), mail(ANN), mail(BO), mail(ANN)], [[0, 1], [2, 3], [4]]),
    ([mail(ANN), mail(BO, type="x"), mail("c@d.e")], [[0, 2], [1]]),
    ([mail(ANN), mail(BO, category="x"), mail("c@d.e")], [[0, 2], [1]]),
    ([mail(ANN), mail(BO, BOTH), mail("c@d.e", BOTH)], [[0], [1, 2]]),
    ([mail(ANN), mail(BO, sender=Sender(name="S")), mail("c@d.e")], [[0, 2], [1]]),
]


@pytest.mark.parametrize(("mails", "groups"), SHARED)
def test_what_shares_a_call(mails: list[Delivery], groups: list[list[int]]) -> None:
    assert sendgrid_mail.groups_of(mails) == groups
    assert mailgun.groups_of(mails) == groups


def test_mailgun_sends_those_without_a_subject_by_themselves() -> None:
    bare = Content(body="b")
    assert mailgun.groups_of([mail(ANN), mail(BO, bare), mail("c@d.e")]) == [[0, 2], [1]]


def test_mailgun_sends_by_themselves_those_that_offer_to_unsubscribe() -> None:
    """Its headers are those of the call; a catalogue that changes has both kinds of a type."""
    mails = [mail(ANN), mail(BO, transactional=True), mail("c@d.e")]
    assert mailgun.groups_of(mails) == [[0, 2], [1]]
    assert sendgrid_mail.groups_of(mails) == [[0, 1, 2]]


@pytest.mark.parametrize(
    "odd", [bodied(title="%recipient%"), bodied(body="a %recipient.x%"), bodied(html="%recipient")]
)
def test_what_holds_mailguns_tags_goes_alone_and_the_others_go_on(odd: Delivery) -> None:
    assert mailgun.groups_of([odd, mail(ANN), odd, mail(BO)]) == [[0], [1, 3], [2]]


def test_what_sendgrid_has_no_room_for_goes_alone() -> None:
    """Its tags count too: 16 and 13 characters beside a title and a body."""
    assert (len(SUBJECT), len(TEXT), len(HTML)) == (16, 13, 13)
    assert MAX_SUBSTITUTIONS == 10_000
    fits = bodied(title="", body="ü" * ((10_000 - 29) // 2) + "x")
    over = bodied(title="", body=fits.content.body + "x")
    assert sendgrid_mail.groups_of([fits, mail(BO)]) == [[0, 1]]
    assert sendgrid_mail.groups_of([over, mail(BO), over, mail("c@d.e")]) == [[0], [1, 3], [2]]


@pytest.mark.parametrize("html", ["", "<b>"])
def test_sendgrids_mail_for_two_has_each_ones_own_texts(html: str) -> None:
    mails = [mail(who, Content(body=f"b{who}", title=f"t{who}", html=html)) for who in (ANN, BO)]
    found = mail_of(mails, SHOP, ReturnPath(settings()))
    assert (found.subject, found.from_.email) == ("-tocsin:subject-", "shop@example.com")
    parts = [(part.type, part.value) for part in found.content]
    assert (
        parts == [("text/plain", "-tocsin:text-"), ("text/html", "-tocsin:html-")][: 1 + bool(html)]
    )
    for who, copy in zip((ANN, BO), found.personalizations, strict=True):
        assert [to.email for to in copy.to] == [who]
        own = {"-tocsin:subject-": f"t{who}", "-tocsin:text-": f"b{who}"}
        assert copy.substitutions == own | ({"-tocsin:html-": html} if html else {})
        assert copy.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_an_empty_text_is_no_part() -> None:
    found = mail_of([bodied(body="", html="<b>")], SHOP, ReturnPath(settings()))
    assert [part.type for part in found.content] == ["text/html"]


@pytest.mark.parametrize(
    ("name", "tag"), [("a.b-C_1@x", "a.b-C_1@x"), ("order shipped/ü!", "order_shipped___")]
)
def test_a_tag_of_sess_holds_what_it_may(name: str, tag: str) -> None:
    found = Ses(settings(), Recorder()).mail_of(mail(type=name))
    assert {each.name: each.value for each in found.email_tags}["type"] == tag


def test_mailguns_form_leaves_out_what_is_empty() -> None:
    form = mailgun.Mailgun(settings(public_url=""), Recorder()).form_of(
        [mail(content=Content(body="b"))]
    )
    assert [name for name, _ in form] == [
        "from",
        "to",
        "text",
        "v:notification_id",
        "v:delivery_id",
        "o:tag",
        "o:tag",
    ]
