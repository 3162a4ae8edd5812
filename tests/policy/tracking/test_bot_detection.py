"""Which requests for a pixel or a link no person made."""

import pytest

from policy.tracking.bot_detection import is_machine, is_machine_told

PERSON = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Mail/16.0"


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "  ",
        "Mozilla/5.0",
        " mozilla/5.0 ",
        # What Gmail fetches ahead.
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0",
        "Proofpoint URL Defense",
        "Mimecast-Targeted-Threat-Protection",
        "BarracudaSentinel (EE)",
        "Googlebot/2.1",
        "Some Crawler",
        "Baiduspider",
        "Link Scanner 1.0",
        "Microsoft SafeLinks",
        "Symantec Email Security",
        "TrendMicro",
        "python-requests/2.32",
        "curl/8.5.0",
        "Wget/1.21",
        "Mozilla/5.0 HeadlessChrome/120.0",
    ],
)
def test_what_says_that_it_is_a_machine(agent: str) -> None:
    assert is_machine("GET", {"User-Agent": agent})


@pytest.mark.parametrize(
    "agent",
    [
        PERSON,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)",
        "Thunderbird",
        "curl me",
        # They fetch an image when their person looks at it.
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "something via ggpht.com",
        "Mozilla/5.0 GoogleImageProxy",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    ],
)
def test_what_may_be_a_person(agent: str) -> None:
    assert not is_machine("GET", {"User-Agent": agent})
    assert not is_machine("GET", {"USER-AGENT": agent, "Accept": "image/*", "Purpose": "read"})


def test_a_person_names_a_program() -> None:
    assert is_machine("GET", {})


@pytest.mark.parametrize("header", ["Sec-Purpose", "purpose", "X-Purpose", "X-Moz"])
@pytest.mark.parametrize("said", ["prefetch", "Prefetch;prerender", "preview", "link-Preview"])
def test_what_is_fetched_ahead_was_read_by_nobody(header: str, said: str) -> None:
    assert is_machine("GET", {"User-Agent": PERSON, header: said})
    assert not is_machine("GET", {"User-Agent": PERSON, "X-Other": said})


def test_who_only_looks_whether_it_is_there_does_not_read_it() -> None:
    assert is_machine("HEAD", {"User-Agent": PERSON})


GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@pytest.mark.parametrize(
    ("agent", "said", "is_one"),
    [
        (None, False, False),
        (PERSON, False, False),
        ("Mozilla/5.0", False, True),
        ("Mozilla/5.0", True, True),
        (None, True, True),
        (PERSON, True, True),
        (GMAIL, False, False),
        (GMAIL, True, False),
        (GMAIL, "gmail", False),
        (None, "gmail", False),
        (PERSON, "apple", True),
        ("", False, True),
    ],
)
def test_what_a_provider_tells_is_judged_by_the_same_rule(
    agent: str | None, said: str | bool, is_one: bool
) -> None:
    assert is_machine_told(agent, said) is is_one
