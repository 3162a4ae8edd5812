"""Records as a producer might write them: most of each is as it should be, some of it is odd."""

from functools import lru_cache
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct
from msgspec import inspect as mi

from schemas.vocabulary import BY_CATALOGUE, UNWRITTEN

NEW_WORDS = UNWRITTEN | BY_CATALOGUE
PEOPLE = ("ada", "bob", "eve")
"""Few, so that the records of one run are about the same people."""
TYPES = ("order_shipped", "post_published", "comment_added")
KINDS = ("order.shipped", "post.published", "comment.added")
ODD_TEXTS = ("", "\0", "\U0001f600" * 40, "é" * 200, "x" * 200, "..", "/", "*", "\u2028", "{{ x }}",
             "<b>&amp;", "1" * 70_000)  # fmt: skip
MOMENTS = ("2026-05-28T20:26:40Z", "2026-05-28T21:26:40Z", "2026-05-30T20:26:40+02:00")
ODD_MOMENTS = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z",
               "1970-01-01T00:00:00Z", "9998-12-31T23:59:59.999999Z",
               "2026-03-29T02:30:00+01:00")  # fmt: skip
HEX = ("0" * 32, "f" * 32, "550e8400e29b41d4a716446655440000")
ODD_HEX = "550e8400-e29b-41d4-a716-446655440000"
ITEM = f"1780000000000.{HEX[0]}"
URLS = ("https://example.com/x", "https://hooks.slack.com/services/x")
ODD_URLS = ("http://[::1]:99999/", "https://\0", "https://" + "a" * 1990)
CHATS = ("-1001234567890", "@shop_news", "C0123456789")
THREADS = ("", "7", "1700000000.123456")
CLOCK_TIMES = ("00:00", "23:59", "08:30")
NUMBERS = (0, 1, 7)
ODD_NUMBERS = (-1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**40)
DATA = {
    "customer_id": "ada", "order_id": "7", "carrier": "x", "tracking_number": "1", "post_id": "1",
    "post_title": "t", "text": "x", "commenter_name": "b", "post_author_id": "ada",
    "author_name": "e", "author_id": "eve",
}  # fmt: skip
"""What our catalogue's templates and audiences look for."""
_TEXT = st.sampled_from(ODD_TEXTS) | st.text(max_size=30)
_ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from(ODD_NUMBERS)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(PEOPLE)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)


@lru_cache
def records(kind: type[Struct]) -> st.SearchStrategy[dict[str, Any]]:
    """What could be written as such a record, as JSON has it; of half of them a field is odd."""
    plain, odd = plain_records(kind), _struct(mi.type_info(kind), is_odd=True)
    return plain | st.tuples(plain, odd).flatmap(_with_one_of)


def plain_records(kind: type[Struct]) -> st.SearchStrategy[dict[str, Any]]:
    """What is written as such a record where nothing is odd, as JSON has it."""
    return _struct(mi.type_info(kind), is_odd=False)


def _with_one_of(pair: tuple[dict[str, Any], dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    plain, odd = pair
    return st.sampled_from(sorted(odd)).map(lambda name: {**plain, name: odd[name]})


def _struct(kind: Any, *, is_odd: bool) -> st.SearchStrategy[Any]:
    fields = {field.encode_name: field for field in kind.fields}
    values = {name: _of(field.type, name, is_odd=is_odd) for name, field in fields.items()}
    if kind.array_like:
        return st.tuples(*values.values()).map(list)
    needed = {name: value for name, value in values.items() if fields[name].required}
    rest = {name: value for name, value in values.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional=rest)


def _of(kind: mi.Type, name: str = "", *, is_odd: bool) -> st.SearchStrategy[Any]:
    match kind:
        case mi.Metadata():
            return _of(kind.type, name, is_odd=is_odd)
        case mi.StrType():
            return _text_of(kind, name, is_odd=is_odd)
        case mi.IntType(ge=low, le=high) if low is not None and high is not None:
            return st.integers(low, high)
        case mi.IntType():
            return st.sampled_from(ODD_NUMBERS if is_odd else NUMBERS)
        case mi.FloatType():
            return st.floats(0, 1e6)
        case mi.BytesType():
            return st.sampled_from(("", "AAEC"))  # base64
        case mi.AnyType() | mi.RawType():
            return _ANY if is_odd else st.sampled_from(PEOPLE)
        case mi.BoolType():
            return st.booleans()
        case mi.NoneType():
            return st.none()
        case mi.DateTimeType():
            return st.sampled_from(ODD_MOMENTS if is_odd else MOMENTS)
        case mi.LiteralType():
            return st.sampled_from(kind.values)
        case mi.EnumType():
            return st.sampled_from([each.value for each in kind.cls if each.value not in NEW_WORDS])
        case mi.UnionType():
            return st.one_of([_of(each, name, is_odd=is_odd) for each in kind.types])
        case mi.ListType() | mi.VarTupleType():
            item = _of(kind.item_type, name, is_odd=is_odd)
            return st.lists(item, min_size=kind.min_length or 0, max_size=3)
        case mi.TupleType():
            items = [_of(each, name, is_odd=is_odd) for each in kind.item_types]
            return st.tuples(*items).map(list)
        case mi.DictType(value_type=mi.AnyType()):
            return _data() if is_odd else st.just(DATA)
        case mi.DictType():
            keys = _of(kind.key_type, "", is_odd=is_odd)
            return st.dictionaries(keys, _of(kind.value_type, "", is_odd=is_odd), max_size=3)
        case mi.StructType():
            return _struct(kind, is_odd=is_odd)
        case _:
            raise TypeError(f"no strategy for {kind}")


def _data() -> st.SearchStrategy[dict[str, Any]]:
    """The catalogue's variables, some with an odd value, and odd ones beside them."""
    replaced = st.dictionaries(st.sampled_from(sorted(DATA)), _ANY, max_size=2)
    beside = st.dictionaries(_TEXT, _ANY, max_size=2)
    return st.tuples(beside, replaced).map(lambda both: {**DATA, **both[0], **both[1]})


def _text_of(kind: mi.StrType, name: str, *, is_odd: bool) -> st.SearchStrategy[str]:
    pattern = kind.pattern or ""
    if "https" in pattern:
        return st.sampled_from(ODD_URLS if is_odd else URLS)
    if "{1,20}" in pattern or "{1,18}" in pattern:
        chats = CHATS if "{1,20}" in pattern else THREADS
        return _TEXT if is_odd else st.sampled_from(chats)
    if "{13}" in pattern:
        return st.just(ITEM)
    if "{32}" in pattern:
        return st.just(ODD_HEX) if is_odd else st.sampled_from(HEX)
    if "[0-5]" in pattern:
        return st.sampled_from(CLOCK_TIMES)
    if is_odd:
        return _TEXT
    match name:
        case "type":
            return st.sampled_from((*KINDS, *TYPES))
        case "tenant":
            return st.just("default")
        case "id" | "idempotency_key":
            return st.sampled_from(("1", "2", "3"))
        case "locale" | "zone":
            return st.sampled_from(("en", "de", "Europe/Berlin", "UTC"))
        case "email":
            return st.just("ada@example.com")
        case "phone":
            return st.just("+15005550009")
        case _:
            return st.sampled_from(PEOPLE)
