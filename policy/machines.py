"""Opens and clicks that no person made: mail proxies and scanners fetch what is in a mail."""

from collections.abc import Mapping

_AGENTS = (
    "googleimageproxy",
    "ggpht.com",
    "yahoomailproxy",
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
    return agent in ("", _APPLE_PRIVACY) or any(part in agent for part in _AGENTS)
