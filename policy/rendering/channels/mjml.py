"""MJML, which becomes HTML that every mail program shows alike; once, when a catalogue is read.

The result is still a template. Expressions may stand in texts and in attributes. Statements may
stand in texts and attributes, and between elements, where a loop must go around whole ones:
`mj-section`, `mj-text`, `mj-button` and so on. Around `mj-column` a loop works but for the
widths, which MJML gives by the number of columns that it sees.
"""

import re

from mjml import mjml2html

_JINJA = re.compile(r"{{.*?}}|{%.*?%}|{#.*?#}", re.DOTALL)
_ELEMENT = re.compile(r"<(mj-[a-z-]+)")
_TEXT_ONLY = re.compile(r"<mj-(title|preview|style)\b[^>]*>[^<]*$")


def html_of(source: str) -> str:
    """The HTML template that the MJML template stands for; raises ValueError, saying why."""
    name = "tocsin"
    while name in source:
        name += "x"
    found: list[str] = []
    pieces: list[str] = []
    at = 0
    # MJML knows nothing of Jinja2, whose < and quotes would be markup to it: tokens stand in,
    # of letters and digits, as MJML changes other characters in attributes.
    for match in _JINJA.finditer(source):
        pieces.append(source[at : match.start()])
        token = f"{name}{len(found)}q"
        is_value = match[0].startswith("{{")
        pieces.append(token if is_value or _needs_text("".join(pieces)) else f"<!--{token}-->")
        found.append(match[0])
        at = match.end()
    try:
        # No fonts of its own: fetching one would tell its host who reads the mail.
        html = mjml2html("".join(pieces) + source[at:], fonts={})
    except ValueError as error:
        raise ValueError(f"MJML can't read it: {error}") from None
    unknown = _ELEMENT.search(html)
    if unknown:
        raise ValueError(f"MJML has no <{unknown[1]}>, or not there")
    tokens = rf"<!--{name}(\d+)q-->|{name}(\d+)q"
    return re.sub(tokens, lambda match: found[int(match[1] or match[2])], html)


def _needs_text(before: str) -> bool:
    """Whether no comment can stand here: within a tag, or in an element of nothing but text."""
    return before.rfind("<") > before.rfind(">") or bool(_TEXT_ONLY.search(before))
