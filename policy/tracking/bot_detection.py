"""Opens and clicks that no person made: scanners and some mail proxies fetch what is in a mail.

A proxy that fetches an image when its person looks at the mail is that person: Gmail's and Yahoo's
are. One that fetches all images when the mail arrives says nothing of anybody, as Apple's does
(https://wordtothewise.com/2024/08/prefetches-and-proxies, and for what Gmail fetches ahead, which
says that it is another program, https://bird.com/blog/gmail-prefetching-images). The same rule
holds for our own pixel and for what providers tell of theirs, so that open rates can be compared.
"""

from collections.abc import Mapping

_PEOPLES_PROXIES = ("googleimageproxy", "ggpht.com", "yahoomailproxy")
_AGENTS = (
    "edge/12.246 mozilla/5.0",
    "proofpoint",
    "mimecast",
    "barracuda",
    "bot",
    "crawler",
    "spider",
    "scanner",
    "safelinks",
    "symantec",
    "trendmicro",
    "python-requests",
    "curl/",
    "wget/",
    "headlesschrome",
)
"""Parts of user agents, in lower case."""
_PEOPLES_NAMES = ("gmail", "google", "yahoo")
"""What Mailgun calls them in `bot`."""
_APPLE_PRIVACY = "mozilla/5.0"
"""Apple's Mail Privacy Protection says this and nothing else."""
_FORETELLING = ("sec-purpose", "purpose", "x-purpose", "x-moz")


def is_machine(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request for a pixel or a link is known not to be a person's.

    It says of many machines that they are persons, and of no known mail program that it is a
    machine, but that of a person behind a proxy that opens everything for them can't be told.
    """
    if method == "HEAD":
        return True
    said = {name.lower(): value.lower() for name, value in headers.items()}
    if any(
        "prefetch" in said.get(name, "") or "preview" in said.get(name, "") for name in _FORETELLING
    ):
        return True
    agent = said.get("user-agent", "").strip()
    if any(part in agent for part in _PEOPLES_PROXIES):
        return False
    return agent in ("", _APPLE_PRIVACY) or any(part in agent for part in _AGENTS)


def is_machine_told(agent: str | None, said: str | bool = False) -> bool:
    """The same of an open or a click that a provider tells of, by the user agent if it names one.

    `said` is whether, or by its name which, machine it takes it for.
    """
    if isinstance(said, str) and said.lower() in _PEOPLES_NAMES:
        return False
    if agent is not None and is_machine("GET", {"user-agent": agent}):
        return True
    by_proxy = agent is not None and any(part in agent.lower() for part in _PEOPLES_PROXIES)
    return bool(said) and not by_proxy
