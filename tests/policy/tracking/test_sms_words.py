"""What a person answers to a text."""

import pytest

from policy.tracking.sms_words import wants_texts

STOP = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")
START = ("START", "YES", "UNSTOP")


@pytest.mark.parametrize(
    ("words", "wanted"), [(STOP, False), (START, True), (("HELP", "INFO", "NO", ""), None)]
)
def test_a_word_that_stands_alone_counts(words: tuple[str, ...], wanted: bool | None) -> None:
    for word in words:
        for text in (
            word,
            word.lower(),
            f"  {word.title()}\n",
            f"{word}!",
            f'"{word}."',
            f"'{word}'",
        ):
            assert wants_texts(text) is wanted, text
        assert wants_texts(f"please {word}") is None
        assert wants_texts(f"{word} it") is None
