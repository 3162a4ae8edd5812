"""A mail as it travels by SMTP: seven bits, short lines, CRLF, whatever its texts hold."""

import binascii
import re
from base64 import b64encode
from collections.abc import Iterable
from email.header import Header
from email.utils import parseaddr

CRLF = "\r\n"
MOST_LINE = 76
"""Characters of a line that is encoded (RFC 2045)."""
LONGEST_LINE = 998
"""Characters of any line (RFC 5322, 2.1.1)."""
_PLAIN_LINE = 78
"""Characters up to which a line of plain ASCII stays as it is."""
_BREAKS = re.compile(r"\r\n|\r|\n")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_ASCII = re.compile(r"[\x20-\x7e]*")
_TEXT = re.compile(r"[\t\n\x20-\x7e]*")


def mail_of(headers: Iterable[tuple[str, str]], text: str, html: str, boundary: str) -> bytes:
    """The whole mail, with lines that end in CRLF; `boundary` must stand in neither text.

    Values of headers are on one line and in ASCII, as `words_of` and `mailbox_of` write them. HTML
    stands beside the text as another way to show the same.
    """
    lines = [f"{name}: {value}" for name, value in headers]
    lines.append("MIME-Version: 1.0")
    if not html:
        return CRLF.join([*lines, *_part("plain", text)]).encode()
    lines.append(f'Content-Type: multipart/alternative; boundary="{boundary}"')
    lines.append("")
    if text:
        lines += [f"--{boundary}", *_part("plain", text)]
    lines += [f"--{boundary}", *_part("html", html), f"--{boundary}--", ""]
    return CRLF.join(lines).encode()


def words_of(name: str, text: str) -> str:
    """Any text as the value of this header: no line break of it begins another one."""
    # Half of a sign that takes two is none.
    plain = _CONTROLS.sub(" ", text).strip().encode(errors="replace").decode()
    if _ASCII.fullmatch(plain) and "=?" not in plain and len(name) + 2 + len(plain) <= MOST_LINE:
        return plain
    return Header(plain, "utf-8", MOST_LINE, name).encode(linesep=CRLF)


def parsed_mailbox(text: str) -> tuple[str, str]:
    """Name and address of `Shop <shop@example.com>`; no control characters are in either."""
    return parseaddr(_CONTROLS.sub(" ", text))


def quoted(name: str) -> str:
    """A name that may hold what divides addresses."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def mailbox_of(name: str, address: str) -> str:
    """Both as a header has them: no line break of the name begins another one."""
    shown = _CONTROLS.sub(" ", name)
    if not shown:
        return address
    if _ASCII.fullmatch(shown) and "=?" not in shown:
        return f"{quoted(shown)} <{address}>"
    return f"{Header(shown, 'utf-8', MOST_LINE, 'From').encode(linesep=CRLF)} <{address}>"


def _part(kind: str, text: str) -> list[str]:
    """Its headers, an empty line, and its lines; whichever encoding is the shorter."""
    lines = _BREAKS.split(text)
    plain = "\n".join(lines)
    head = f"Content-Type: text/{kind}; charset=utf-8"
    if _TEXT.fullmatch(plain) and max(map(len, lines)) <= _PLAIN_LINE:
        return [head, "Content-Transfer-Encoding: 7bit", "", *lines]
    content = plain.encode(errors="replace")
    quoted = binascii.b2a_qp(content, istext=True).decode().split("\n")
    if sum(map(len, quoted)) + 2 * len(quoted) <= len(content) * 3 // 2:
        return [head, "Content-Transfer-Encoding: quoted-printable", "", *quoted]
    encoded = b64encode(CRLF.join(lines).encode(errors="replace")).decode()
    pieces = [encoded[at : at + MOST_LINE] for at in range(0, len(encoded), MOST_LINE)]
    return [head, "Content-Transfer-Encoding: base64", "", *pieces]
