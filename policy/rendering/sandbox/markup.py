"""Where a value of an event is allowed in HTML, so that escaping is enough to keep it harmless.

Escaped, it can't leave the text or the quoted attribute that it stands in. So a template may put
it nowhere else; and as an address only behind a beginning that says what kind of address it is,
or through the filter `link`.
"""

import re
from collections.abc import Iterable
from html.parser import HTMLParser

from jinja2.nodes import Const, Filter, Name, Node, Output, Template, TemplateData

from policy.rendering.channels.own_links import OwnLink

# Stand for a value, a checked link, and the edge of a block.
_VALUE, _LINK, _EDGE = "\ue000", "\ue001", "\ue002"
_HARMLESS = frozenset({"int", "float", "round", "length", "count"})
_ADDRESSES = frozenset(
    {"action", "archive", "background", "cite", "classid", "code", "codebase", "data", "dynsrc"}
    | {"formaction", "href", "icon", "longdesc", "lowsrc", "manifest", "ping", "poster"}
    | {"profile", "src", "srcset", "usemap", "xlink:href"}
)
_PROGRAMS = ("script", "style")
_BEGINNING = re.compile(rf"\s*(?:https?://|mailto:|tel:|#|{_LINK})[^{_EDGE}]*")
_MADE_TAG = re.compile(f"<[/!?]?[{_VALUE}{_LINK}{_EDGE}]")
_QUOTED = re.compile("\"[^\"]*\"|'[^']*'")


def misplaced(tree: Template) -> str | None:
    """The first place in an HTML template where a value can do harm; None where there is none."""
    outline, places = _outline(tree.body), _Places()
    if _MADE_TAG.search(outline):
        return "a value right after < would make a tag"
    places.feed(outline)
    places.close()
    return places.complaint


def _outline(nodes: Iterable[Node]) -> str:
    """The template's own text, with a mark for each value."""
    return "".join(map(_mark, nodes))


def _mark(node: Node) -> str:
    match node:
        case TemplateData(data=text):
            return text
        case Output(nodes=nodes):
            return _outline(nodes)
        case Const(value=value):
            return str(value)
        case Filter(name="link") | Name(name=OwnLink.PREFERENCES | OwnLink.UNSUBSCRIBE):
            return _LINK
        case Filter(name=name) if name in _HARMLESS:
            return "0"
    inner = [
        child for field in ("body", "elif_", "else_") for child in getattr(node, field, None) or []
    ]
    return f"{_EDGE}{_outline(inner)}{_EDGE}" if hasattr(node, "body") else _VALUE


class _Places(HTMLParser):
    """Notes the first value that stands where it must not."""

    def __init__(self) -> None:
        super().__init__()
        self.complaint: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raw = _QUOTED.sub("", self.get_starttag_text() or "")
        if _VALUE in raw or _LINK in raw:
            self._note(f"a value within the tag <{_bare(tag)}> needs quotes around it")
        # What stands for a header may name a page to go to, behind a number of seconds.
        is_header = tag == "meta" and any(name == "http-equiv" for name, _ in attrs)
        for name, value in attrs:
            self._attribute(_bare(name), value or "")
            if is_header and (_VALUE in (value or "") or _LINK in (value or "")):
                self._note("a value can't stand in <meta http-equiv>")

    def _attribute(self, name: str, value: str) -> None:
        if _VALUE not in value and _LINK not in value:
            return
        if name.startswith("on") or name in ("style", "srcdoc"):
            self._note(f"a value can't stand in the attribute {name!r}")
        if name in _ADDRESSES and _VALUE in value and not _BEGINNING.fullmatch(value):
            self._note(f"a value in the attribute {name!r} needs the filter 'link'")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem in _PROGRAMS and (_VALUE in data or _LINK in data):
            self._note(f"a value can't stand in <{self.cdata_elem}>")

    def handle_comment(self, data: str) -> None:
        # Outlook reads what stands in its conditional comments.
        if data.startswith("[if"):
            places = _Places()
            places.feed(data.partition(">")[2])
            places.close()
            if places.complaint:
                self._note(places.complaint)

    def _note(self, complaint: str) -> None:
        self.complaint = self.complaint or complaint


def _bare(name: str) -> str:
    return name.strip(_VALUE + _LINK + _EDGE)
