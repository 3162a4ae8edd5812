"""Who reads a text: what templates may say of them."""

from collections.abc import Iterator, Mapping

from jinja2.nodes import Const, Filter, Getattr, Getitem, Name, Node, Test

USER = "user"
"""The name by which templates refer to the reader."""
SURE = frozenset({"id", "zone"})
"""What everybody has."""

Reader = Mapping[str, str]
"""What templates have as `user`."""


def reader_of(user: str, zone: str, attributes: Mapping[str, str]) -> Reader:
    """The attributes in the contacts of a user, the id, and the zone (IANA).

    The last two go before attributes of that name.
    """
    return {**attributes, "id": user, "zone": zone}


def speaks_of_reader(tree: Node) -> bool:
    """Whether a template says anything of who reads it."""
    return any(node.name == USER for node in tree.find_all(Name))


def unsure(tree: Node) -> Iterator[str]:
    """What a template takes for granted that a user may not have.

    An event without a field is its producer's mistake, and becomes a dead letter. A user without an
    attribute is an ordinary one: they must not be left out, so the template says what else to say.
    """
    cared = {
        id(node.node)
        for node in tree.find_all((Filter, Test))
        if node.name in ("default", "d", "defined")
    }
    taken: list[Getattr | Getitem] = [*tree.find_all(Getattr), *tree.find_all(Getitem)]
    for node in taken:
        if isinstance(node.node, Name) and node.node.name == USER and id(node) not in cared:
            name = _name_of(node)
            if name not in SURE:
                field = f"{USER}.{name}" if name else f"what is taken from {USER}"
                yield (
                    f"{field} may be missing: |default('…') says what to say then, see its line "
                    f"{node.lineno}"
                )


def _name_of(node: Getattr | Getitem) -> str:
    if isinstance(node, Getattr):
        return node.attr
    return str(node.arg.value) if isinstance(node.arg, Const) else ""
