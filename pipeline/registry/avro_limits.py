"""What reading an Avro record may cost: known from its schema, or seen by walking over its bytes.

A few bytes can stand for any number of values: of an array of nulls there is nothing but their
number, of which fastavro makes as many; of a schema that contains itself each byte can be one level
deeper, until the stack ends; and what a reader's schema leaves out is skipped without a look at
whether there are so many bytes. Most schemas allow nothing of that, and then nothing is walked.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from policy.source.decoding import Undecodable

MOST_VALUES = 200_000
"""Of one record, with those that hold others."""
DEEPEST = 100
"""Levels of one record."""
A_BYTE = 2
"""Values for which a byte stands where nothing is walked, at most."""
ENDLESS = 1 << 62

Node = Any
Names = Mapping[str, Node]
FIXED_SIZES = {"null": 0, "boolean": 1, "float": 4, "double": 8}
AT_LEAST_ONE = {"int", "long", "string", "bytes", "enum"}


class Limits:
    """Of records by one schema, as fastavro has parsed it; `names` has what it refers to.

    Raises Undecodable where every record would be too deep.
    """

    def __init__(self, node: Node, names: Names, *, is_skipped: bool) -> None:
        """`is_skipped`: whether parts may be passed over unread, for a reader's schema."""
        self._node, self._names = node, names
        excess = _Cost(names).of(node).excess
        self._must_walk = is_skipped or excess >= ENDLESS
        self._left = MOST_VALUES - excess

    def check(self, data: bytes, at: int) -> None:
        """Raise Undecodable for a record, from `at` on, that would cost too much."""
        if self._must_walk or A_BYTE * (len(data) - at) > self._left:
            _Walk(data, at, self._names).over(self._node)


class _Of(NamedTuple):
    """What a type may cost: how many more values it can stand for than A_BYTE for each of its
    bytes, ENDLESS where there is no bound or a type contains itself; and its levels."""

    excess: int
    levels: int = 1


class _Cost:
    """Of types by what they consist of, each named one looked at once."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: dict[str, _Of] = {}
        self._open: set[str] = set()

    def of(self, node: Node) -> _Of:
        if len(self._open) > DEEPEST:
            raise _too_deep()
        cost = self._of(node)
        if cost.levels > DEEPEST:
            raise _too_deep()
        return cost

    def _of(self, node: Node) -> _Of:
        if isinstance(node, list):
            branches = [self.of(each) for each in node]
            excess = max((each.excess for each in branches), default=0)
            return _Of(excess - A_BYTE if excess < ENDLESS else ENDLESS, _levels(branches))
        kind = node["type"] if isinstance(node, dict) else node
        if kind in FIXED_SIZES:
            return _Of(1 - A_BYTE * FIXED_SIZES[kind])
        if kind in AT_LEAST_ONE:
            return _Of(1 - A_BYTE)
        if kind == "fixed":
            return _Of(1 - A_BYTE * node["size"])
        if kind == "array":
            item = self.of(node["items"])
            return _Of(ENDLESS if item.excess > 0 else 1 - A_BYTE, item.levels + 1)
        if kind == "map":
            item = self.of(node["values"])
            # Each has a name in front, of a byte at least.
            return _Of(ENDLESS if item.excess > A_BYTE else 1 - A_BYTE, item.levels + 1)
        if kind in ("record", "error"):
            return self._of_record(node)
        return self.of(self._names[kind])

    def _of_record(self, node: Node) -> _Of:
        name = node["name"]
        if name in self._open:
            # As deep as its bytes say, which is seen by walking alone.
            return _Of(ENDLESS)
        if name not in self._known:
            self._open.add(name)
            parts = [self.of(field["type"]) for field in node["fields"]]
            self._open.remove(name)
            excess = 1 + sum(part.excess for part in parts)
            if any(part.excess >= ENDLESS for part in parts):
                excess = ENDLESS
            self._known[name] = _Of(min(excess, ENDLESS), _levels(parts))
        return self._known[name]


def _levels(parts: Sequence[_Of]) -> int:
    return 1 + max((part.levels for part in parts), default=0)


def _too_deep() -> Undecodable:
    return Undecodable(f"its schema is more than {DEEPEST} levels deep")


class _Walk:
    """Over the bytes of one record, with a count of its values."""

    def __init__(self, data: bytes, at: int, names: Names) -> None:
        self._data, self._at, self._names = data, at, names
        self._values = 0
        self._steps: Mapping[str, Callable[[Node, int], None]] = {
            "int": self._number,
            "long": self._number,
            "enum": self._number,
            "string": self._text,
            "bytes": self._text,
            "fixed": lambda node, depth: self._pass(node["size"]),
            "array": partial(self._blocks, "items"),
            "map": partial(self._blocks, "values"),
            "record": self._record,
            "error": self._record,
            **{
                kind: lambda node, depth, size=size: self._pass(size)  # type: ignore[misc]
                for kind, size in FIXED_SIZES.items()
            },
        }

    def over(self, node: Node, depth: int = 0) -> None:
        """Raise Undecodable where a value is not there, or they are too many or too deep."""
        if depth > DEEPEST:
            raise Undecodable(f"it is more than {DEEPEST} levels deep")
        if isinstance(node, list):
            index = self._long()
            if not 0 <= index < len(node):
                raise Undecodable(f"it has branch {index} of a union of {len(node)}")
            self.over(node[index], depth + 1)
            return
        kind = node["type"] if isinstance(node, dict) else node
        step = self._steps.get(kind)
        if step is None:
            self.over(self._names[kind], depth)
            return
        self._values += 1
        if self._values > MOST_VALUES:
            raise Undecodable(f"it stands for more than {MOST_VALUES} values")
        step(node, depth)

    def _record(self, node: Node, depth: int) -> None:
        for field in node["fields"]:
            self.over(field["type"], depth + 1)

    def _blocks(self, of_items: str, node: Node, depth: int) -> None:
        item = node[of_items]
        while count := self._long():
            size = None
            if count < 0:
                count, size = -count, self._long()
            begin = self._at
            for _ in range(count):
                if of_items == "values":
                    self._text(node, depth)
                self.over(item, depth + 1)
            if size is not None and size != self._at - begin:
                # Who skips the block would go on elsewhere than who reads it.
                raise Undecodable(f"a block of {self._at - begin} bytes is said to have {size}")

    def _number(self, node: Node, depth: int) -> None:
        self._long()

    def _text(self, node: Node, depth: int) -> None:
        self._pass(self._long())

    def _pass(self, size: int) -> None:
        if not 0 <= size <= len(self._data) - self._at:
            raise Undecodable(f"it ends before {size} bytes that it says are there")
        self._at += size

    def _long(self) -> int:
        found = 0
        for shift in range(0, 70, 7):
            if self._at >= len(self._data):
                raise Undecodable("it ends in the middle of a number")
            byte = self._data[self._at]
            self._at += 1
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (found >> 1) ^ -(found & 1)
        raise Undecodable("a number has more than ten bytes")
