"""What a changelog partition says when it is read from some point on: state, and what its writer
had not finished.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.producing.outputs import Records
from pipeline.producing.write_queue import Entry
from tables.storage.journal_records import (
    ABOVE_OWN,
    OUTPUTS,
    OWN,
    PART,
    TOKEN_BYTES,
    decode_completion,
    decode_outputs,
    join,
    key_of_part,
    number_of,
    place_of,
)


@dataclass(frozen=True)
class Unfinished:
    """A batch whose outputs may not have been sent, or a large write that is still in parts.

    It is in the changelog from `since` on: who reads it later begins there. `keys` are those of
    the state that a large write of so many `parts` has set.
    """

    since: int
    outputs: Records
    parts: int = 0
    keys: tuple[bytes, ...] = ()


@dataclass
class Fold:
    """Takes a changelog's records in order, and says which changes of state they are.

    A large write changes state where it was completed; without that, its parts are void.
    """

    unfinished: dict[int, Unfinished] = field(default_factory=dict)
    """By number, the earliest first."""
    _parts: dict[int, dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))
    _parts_since: dict[int, int] = field(default_factory=dict)
    _lacking: set[int] = field(default_factory=set)

    def take(self, records: Sequence[Entry], since: int) -> Sequence[Entry]:
        """The changes of state that these records are; `since` is an offset not after them."""
        if not [key for key, _ in records if key is not None and key < ABOVE_OWN]:
            return records  # nearly always, when much is restored
        changes: list[Entry] = []
        for key, value in records:
            if key is None or key[:1] not in OWN:
                changes.append((key, value))
            elif key[:1] == OUTPUTS:
                self._take_outputs(number_of(key), value, since)
            elif key[:1] == PART:
                self._take_part(key, value, since)
            else:
                changes += self._take_completion(number_of(key), value, since)
        return changes

    def restored(self, end: int) -> int:
        """Where to begin reading the next time, when all up to `end` was taken."""
        open_since = [each.since for each in self.unfinished.values()]
        return min([end, *open_since, *self._parts_since.values()])

    def void_parts(self) -> list[bytes]:
        """The keys of parts that were never completed.

        Raises ValueError where a completed write lacks parts, which no crash leaves.
        """
        if self._lacking:
            raise ValueError("a write that was completed lacks some of its parts")
        return [
            key_of_part(number, place)
            for number, parts in self._parts.items()
            if number not in self.unfinished
            for place in parts
        ]

    def _take_outputs(self, number: int, value: bytes | None, since: int) -> None:
        before = self.unfinished.get(number)
        if value is not None:
            self.unfinished.pop(number, None)
            self.unfinished[number] = Unfinished(since, decode_outputs(value))
        elif before is not None and not before.parts:
            del self.unfinished[number]

    def _take_part(self, key: bytes, value: bytes | None, since: int) -> None:
        number, place = number_of(key), place_of(key)
        parts = self._parts[number]
        if value is None:
            parts.pop(place, None)
            if not parts:
                del self._parts[number]
                self._parts_since.pop(number, None)
            return
        parts[place] = value
        self._parts_since.setdefault(number, since)

    def _take_completion(self, number: int, value: bytes | None, since: int) -> list[Entry]:
        if value is None:
            self._lacking.discard(number)
            self.unfinished.pop(number, None)
            return []
        said = decode_completion(value)
        parts = self._parts.get(number, {})
        found = [
            parts[place]
            for place in range(said.parts)
            if place in parts and parts[place][:TOKEN_BYTES] == said.token
        ]
        if len(found) < said.parts:
            # Compaction took some of them: then what follows says all of it, and takes it back.
            self._lacking.add(number)
            return []
        self._lacking.discard(number)
        write = join(found)
        keys = tuple(key for key, _ in write.entries if key is not None)
        since = self._parts_since.get(number, since)
        self.unfinished.pop(number, None)
        self.unfinished[number] = Unfinished(since, write.outputs, said.parts, keys)
        return write.entries
