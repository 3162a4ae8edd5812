import pytest

from policy.rendering.filters.unusable import Unusable
from policy.rendering.links import is_link, link
from tests.policy.templates import text


@pytest.mark.parametrize(
    "address",
    ["https://x.de/?a&b#c", "HTTP://x", "mailto:ann@example.com", "tel:+49151", "https://ü.de/é"],
)
def test_links(address: str) -> None:
    assert link(address) == address


@pytest.mark.parametrize(
    "address",
    [
        *(
            "javascript:alert(1)",
            "JavaScript:x",
            " javascript:x",
            "java\nscript:x",
            "\x01https://x",
        ),
        *(
            "data:text/html,x",
            "vbscript:x",
            "file:///etc",
            "https:",
            "https:///x",
            "//x.de",
            "x.de",
        ),
        *(
            "https://x y",
            "https:\\\\x",
            "https://[x",
            "",
            "https://x/" + "y" * 2048,
            3,
            None,
            ["x"],
        ),
    ],
)
def test_what_is_no_link(address: object) -> None:
    assert not is_link(address)
    with pytest.raises(Unusable, match=r"^the filter 'link' can't use"):
        link(address)


def test_a_template_can_ask_first() -> None:
    source = "{% if data.x is link %}{{ data.x | link }}{% else %}none{% endif %}"
    assert text(source, {"x": "https://x"}) == "https://x"
    assert text(source, {"x": "javascript:x"}) == text(source) == "none"
