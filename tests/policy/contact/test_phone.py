"""Phone numbers in one way of writing.

Mexico's: https://www.twilio.com/docs/glossary/what-e164, and since 2019 a mobile number is dialled
without the 1, which carriers still write in what comes from there
(https://github.com/google/libphonenumber/blob/master/FAQ.md on MX).
"""

import phonenumbers
import pytest

from policy.contact.phone import plain_phone, ways_to_write


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+4915112345", "+4915112345"),
        (" +49 (151) 123-45 ", "+4915112345"),
        ("+49\u00a0151/12.34\u20115", "+4915112345"),
        ("+5215512345678", "+525512345678"),
        ("+525512345678", "+525512345678"),
        ("+521234567890", "+521234567890"),  # ten digits without the 1
        ("+5491123456789", "+5491123456789"),
        ("+290123", "+290123"),
        ("+" + "1" * 15, "+" + "1" * 15),
    ],
)
def test_a_number_is_written_in_one_way(text: str, number: str) -> None:
    assert plain_phone(text) == number
    assert plain_phone(number) == number


@pytest.mark.parametrize(
    "text",
    ["", "+", "12", "015112345", "004915112345", "+0151", "+12345", "+" + "1" * 16, "+49x151",
     "+4915112345;ext=5", "+٤٩١٥١١٢٣٤٥", "tel:+4915112345", "+49 151 12345, +49 151 12346"],
)  # fmt: skip
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no phone number"):
        plain_phone(text)


def test_only_mexicos_numbers_were_written_in_two_ways() -> None:
    assert ways_to_write("+525512345678") == ("+525512345678", "+5215512345678")
    for number in ("+4915112345", "+52551234567", "+5215512345678", "+15005550006"):
        assert ways_to_write(number) == (number,)
    for way in ways_to_write("+525512345678"):
        assert plain_phone(way) == "+525512345678"


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_countrys_example_is_one_as_it_is(region: str) -> None:
    """By the metadata of Google's libphonenumber."""
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example is not None:
        number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        spaced = phonenumbers.format_number(
            example, phonenumbers.PhoneNumberFormat.INTERNATIONAL
        )  # fmt: skip
        assert plain_phone(number) == plain_phone(spaced) == number
