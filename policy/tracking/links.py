"""Links that lead by us, and the pixel: what an e-mail's HTML carries so that opens are known."""

import hmac
import re
from hashlib import sha256
from html import escape, unescape
from urllib.parse import quote

_LINK = re.compile(r"(<a\b[^>]*?\shref=)([\"'])(https?://[^\"']*)\2", re.IGNORECASE)
_END = re.compile(r"</body\s*>", re.IGNORECASE)
_SIGNATURE = 16  # hex digits: each guess is a request to us


def link_signature(ticket: str, url: str, key: bytes) -> str:
    """What a link of ours bears, so that it leads nowhere else."""
    return hmac.new(key, f"link:{ticket}\n{url}".encode(), sha256).hexdigest()[:_SIGNATURE]


def is_signed(ticket: str, url: str, signature: str, key: bytes) -> bool:
    """Whether this link was made by us, for this message; an empty key makes none."""
    made = link_signature(ticket, url, key).encode()
    return bool(key) and hmac.compare_digest(made, signature.encode())


def with_links(html: str, ticket: str, base: str, key: bytes) -> str:
    """The HTML with every link of its anchors leading by us; links to us are left as they are."""

    def led(match: re.Match[str]) -> str:
        url = unescape(match[3])
        if url.startswith(f"{base}/"):
            return match[0]
        signature = link_signature(ticket, url, key)
        ours = f"{base}/click/{ticket}/{signature}?to={quote(url, safe='')}"
        return f"{match[1]}{match[2]}{escape(ours)}{match[2]}"

    return _LINK.sub(led, html)


def with_pixel(html: str, ticket: str, base: str) -> str:
    """The HTML with an image of one pixel at its end."""
    pixel = f'<img src="{base}/open/{ticket}.gif" alt="" width="1" height="1">'
    found = None
    for found in _END.finditer(html):  # noqa: B007 - the last one counts
        pass
    place = found.start() if found else len(html)
    return html[:place] + pixel + html[place:]
