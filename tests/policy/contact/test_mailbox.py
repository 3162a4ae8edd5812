"""E-mail addresses in the one way in which every provider takes them.

What is no mailbox is what SES says so of: "Missing final '@domain'", "Local address contains
control or whitespace", "Domain contains illegal character", "Domain starts with dot"
(https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html wants punycode for
domains, and takes no other letters before the @). Punycode is that of UTS 46, table in
https://www.unicode.org/reports/tr46/#Table_Deviation_Characters.
"""

import pytest

from policy.contact.mailbox import LONGEST, plain_mailbox

HOST = ".".join(["d" * 60] * 4)
LONG = "a" * (LONGEST - 1 - len(HOST)) + "@" + HOST


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada+tag.b@Example.COM", "Ada+tag.b@Example.COM"),
        (" ada@example.com\n", "ada@example.com"),
        ("ada@localhost", "ada@localhost"),
        ("o'hara_!#$%&*/=?^`{|}~-@a-b.example", "o'hara_!#$%&*/=?^`{|}~-@a-b.example"),
        ("kunde@bücher.example", "kunde@xn--bcher-kva.example"),
        ("user@例え.jp", "user@xn--r8jz45g.jp"),
        ("ada@faß.de", "ada@xn--fa-hia.de"),  # not fass.de, which is somebody else's
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        (
            "a" * (LONGEST - 1 - len(HOST)) + "@" + HOST,
            "a" * (LONGEST - 1 - len(HOST)) + "@" + HOST,
        ),
    ],
)
def test_a_mailbox_is_written_in_one_way(text: str, mailbox: str) -> None:
    assert plain_mailbox(text) == mailbox
    assert plain_mailbox(mailbox) == mailbox


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not-an-email",
        "@",
        "@example.com",
        "ada@",
        "a@x,b@y",
        "a@example.com, b@example.com",
        "a@example.com;b@example.com",
        "Ada <ada@example.com>",
        "<ada@example.com>",
        '"odd, one"@example.com',
        "ada lovelace@example.com",
        "ada@exam ple.com",
        "a@example.com\r\nBcc: x@example.com",
        "ada\x00@example.com",
        ".ada@example.com",
        "ada.@example.com",
        "a..b@example.com",
        "pepé@example.com",
        "ada@.example.com",
        "ada@example..com",
        "ada@example.com.",
        "ada@-example.com",
        "ada@example_.com",
        "ada@" + "d" * 64 + ".com",
        "ada@xn--ü.example",
        "ada@ü" + "ü" * 70 + ".example",
        "a" * 65 + "@example.com",
        "a" * (LONGEST - len(HOST)) + "@" + HOST,
    ],
)
def test_what_is_no_mailbox_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is ") as error:
        plain_mailbox(text)
    assert text == "" or text not in str(error.value) or text == "@"
