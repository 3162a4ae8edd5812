"""What is sent by SMTP, line by line; and that any text comes out as it went in."""

import email.policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.tracking.ticket import Purpose, issue_ticket
from schemas.delivery import Content, Delivery
from schemas.vocabulary import Channel
from sinks.email.mime import LONGEST_LINE, mail_of, mailbox_of, parsed_mailbox, words_of
from sinks.email.smtp import Smtp, path_of
from tests.sinks.requests.recorder import PUBLIC, Recorder, Still, delivery, settings

KEY = b"a key to sign with"
PARSER = BytesParser(EmailMessage, policy=email.policy.SMTP)
PLAIN = delivery(Channel.EMAIL, "ada@example.com", content=Content(body="Hi", title="Shipped"))
BOTH = delivery(
    Channel.EMAIL,
    "ada@example.com",
    content=Content(body="Wörter\n.", title="Grüße", html="<p>W</p>"),
)
ID = "00000000000000000000000000000007"


def smtp(**fields: object) -> Smtp:
    return Smtp(settings(smtp_url="smtp://relay.example.com", **fields), Recorder(), Still())


def lines_of(said: Delivery, **fields: object) -> list[str]:
    return smtp(**fields).mail_of(said, "ada@example.com").decode("ascii").split("\r\n")


def headers(said: Delivery, subject: str, sender: str = "shop@example.com") -> list[str]:
    leave = issue_ticket(said, Purpose.UNSUBSCRIBE, KEY)
    return [
        f"From: {sender}",
        "To: ada@example.com",
        f"Subject: {subject}",
        "Date: Wed, 18 Nov 2026 11:06:40 +0000",
        f"Message-ID: <{ID}@example.com>",
        "Auto-Submitted: auto-generated",
        f"List-Unsubscribe: <{PUBLIC}/unsubscribe/{leave}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        f"X-Tocsin-Delivery: 00000000000000000000000000000017.{ID}",
        f"X-Tocsin-Ticket: {issue_ticket(said, Purpose.REPORT, KEY)}",
        "MIME-Version: 1.0",
    ]


def test_a_plain_mail() -> None:
    assert lines_of(PLAIN) == [
        *headers(PLAIN, "Shipped"),
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
        "",
        "Hi",
    ]


def test_a_mail_with_html_and_other_letters() -> None:
    assert lines_of(BOTH) == [
        *headers(BOTH, "=?utf-8?b?R3LDvMOfZQ==?="),
        f'Content-Type: multipart/alternative; boundary="=_{ID}"',
        "",
        f"--=_{ID}",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        "V8O2cnRlcg0KLg==",
        f"--=_{ID}",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
        "",
        "<p>W</p>",
        f"--=_{ID}--",
        "",
    ]


def test_a_mail_with_html_alone() -> None:
    said = delivery(Channel.EMAIL, "ada@example.com", content=Content(body="", html="<p>W</p>"))
    assert lines_of(said)[11:15] == [
        f'Content-Type: multipart/alternative; boundary="=_{ID}"',
        "",
        f"--=_{ID}",
        "Content-Type: text/html; charset=utf-8",
    ]


def test_a_mail_that_nobody_can_say_no_to_and_one_without_a_way_back() -> None:
    names = {line.partition(":")[0] for line in lines_of(PLAIN, public_url="")[:9]}
    assert "List-Unsubscribe" not in names
    assert "X-Tocsin-Ticket" not in names
    said = delivery(Channel.EMAIL, "ada@example.com", content=PLAIN.content, transactional=True)
    assert not any(line.startswith("List-") for line in lines_of(said))


@pytest.mark.parametrize(
    ("given", "header", "address"),
    [
        ("shop@example.com", "shop@example.com", "shop@example.com"),
        ("Shop <shop@example.com>", '"Shop" <shop@example.com>', "shop@example.com"),
        ('"S, \\"x\\"" <s@e.com>', '"S, \\"x\\"" <s@e.com>', "s@e.com"),
        ('"S \\\\ x" <s@e.com>', '"S \\\\ x" <s@e.com>', "s@e.com"),
        ("Büro <b@e.com>", "=?utf-8?b?QsO8cm8=?= <b@e.com>", "b@e.com"),
        ("Shop\r\nBcc: x <b@e.com>", '"Shop Bcc: x" <b@e.com>', "b@e.com"),
    ],
)
def test_the_sender(given: str, header: str, address: str) -> None:
    name, parsed = parsed_mailbox(given)
    assert (mailbox_of(name, parsed), parsed) == (header, address) or "Bcc" in given
    assert "\n" not in mailbox_of(name, parsed)
    if "Bcc" not in given:
        assert lines_of(PLAIN, email_from=given)[0] == f"From: {header}"
        assert smtp(email_from=given).envelope_of(PLAIN).sender == address


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("a@b.c", "a@b.c"),
        ("A.b+c@Example.COM", "A.b+c@Example.COM"),
        ("a@münchen.example", "a@xn--mnchen-3ya.example"),
        ("a@MÜNCHEN.example", "a@xn--mnchen-3ya.example"),
        ("jürgen@b.c", "jürgen@b.c"),
    ],
)
def test_domains_are_in_ascii(address: str, path: str) -> None:
    assert path_of(address) == path


SUBJECTS = st.text(max_size=300)


@given(SUBJECTS)
def test_a_subject_begins_no_other_header(text: str) -> None:
    value = words_of("Subject", text)
    assert value.isascii()
    for line in f"Subject: {value}".split("\r\n")[1:]:
        assert line.startswith(" ")
        assert line.strip()
    assert "\n" not in value.replace("\r\n", "")
    assert max(map(len, f"Subject: {value}".split("\r\n"))) <= 76


@pytest.mark.parametrize(
    "text",
    ["", "Hi", "Grüße", "x" * 200, "ж" * 200, "a b " * 60, "=?utf-8?q?x?=", "🦊" * 50, '"'],
)
def test_a_subject_is_read_as_it_was(text: str) -> None:
    mail = PARSER.parsebytes(mail_of([("Subject", words_of("Subject", text))], "b", "", "x"))
    assert mail["Subject"] == text.strip()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300), st.booleans())
def test_any_text_is_read_as_it_was(text: str, with_html: bool) -> None:
    html = f"<p>{text}</p>" if with_html else ""
    written = mail_of([("Subject", "x")], text, html, "=_0")
    assert written.isascii()
    assert b"\n" not in written.replace(b"\r\n", b"")
    assert b"\r" not in written.replace(b"\r\n", b"")
    assert max(map(len, written.split(b"\r\n"))) <= LONGEST_LINE
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    mail = PARSER.parsebytes(written)
    for kind, expected in (("plain", lines), ("html", f"<p>{lines}</p>")):
        part = mail.get_body((kind,))
        if part is None:
            assert not expected or (kind == "html" and not html) or (kind == "plain" and not text)
            continue
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        assert payload.decode().replace("\r\n", "\n") == expected


LATIN = "Ein kurzer Text mit Umlauten, wie ä und ö.\n Und  mehr = drei \n\n.\n" * 5


@pytest.mark.parametrize("text", [LATIN, "a long line " * 20, "x" * 79, LATIN.replace("\n", "\t")])
def test_what_is_quoted_keeps_its_blanks(text: str) -> None:
    mail = PARSER.parsebytes(mail_of([], text, "", "x"))
    assert mail["Content-Transfer-Encoding"] == "quoted-printable"
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().replace("\r\n", "\n") == text


@pytest.mark.parametrize(("length", "is_plain"), [(78, True), (79, False)])
def test_how_long_a_plain_line_is(length: int, is_plain: bool) -> None:
    assert (b"7bit" in mail_of([], "x" * length, "", "x")) is is_plain


@pytest.mark.parametrize(("length", "is_plain"), [(67, True), (68, False)])
def test_how_long_a_plain_subject_is(length: int, is_plain: bool) -> None:
    """76 characters with its name."""
    assert (words_of("Subject", "x" * length) == "x" * length) is is_plain


def test_half_a_sign_costs_no_mail() -> None:
    assert mail_of([], "\ud83d", "", "x").endswith(b"Pw==")  # ?
    assert words_of("Subject", "\ud83d") == "?"


def test_latin_texts_stay_readable_and_others_are_short() -> None:
    latin = mail_of([], "Ein kurzer Text mit Umlauten wie ä und ö. " * 5, "", "x")
    assert b"quoted-printable" in latin
    assert b"base64" in mail_of([], "Короткий текст. " * 5, "", "x")
    assert b"quoted-printable" in mail_of([], "x" * 1000, "", "x")
