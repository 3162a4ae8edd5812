"""Whatever is sent to where providers report: it is read, or refused by a declared error."""

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.encoding import encode
from schemas.errors import Unavailable
from tests.web.signing import SCHEMES, SETTINGS, Scheme
from web.reports.incoming import BadSignature, Incoming, Malformed

NOW = 1_780_000_000_000
each = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("9" * 5000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def read(scheme: Scheme, incoming: Incoming) -> None:
    """Verify and parse a request, each by itself: a forger gets as far as the first."""
    reporter = scheme.reporter(SETTINGS)
    with suppress(BadSignature, Malformed, Unavailable):
        asyncio.run(reporter.verify(incoming, NOW))
    with suppress(Malformed):
        list(reporter.parse(incoming, NOW))


def like(scheme: Scheme) -> Incoming:
    """A request as the provider sends it."""
    return scheme.sign(scheme.delivered("t" * 120), NOW, "t" * 120)


@each
@given(body=st.binary(max_size=200), header=st.text(alphabet=st.characters(max_codepoint=255)))
def test_bytes_of_any_kind(scheme: Scheme, body: bytes, header: str) -> None:
    good = like(scheme)
    headers = dict.fromkeys(good.headers, header)
    read(scheme, Incoming(method="POST", url=good.url, headers=headers, body=body))
    read(scheme, Incoming(method="POST", url=good.url, headers=good.headers, body=body))


@each
@given(data=st.data())
def test_a_request_with_one_odd_value(scheme: Scheme, data: Any) -> None:
    good = scheme.delivered("t" * 120)
    if isinstance(good, str):  # a mail
        begin = data.draw(st.integers(0, len(good)))
        end = data.draw(st.integers(begin, min(len(good), begin + 40)))
        odd = data.draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
        read(scheme, scheme.sign(good[:begin] + odd + good[end:], NOW, ""))
        return
    place = good[0] if isinstance(good, list) else good
    while True:
        name = data.draw(st.sampled_from(sorted(place)))
        if not (isinstance(place[name], dict) and place[name] and data.draw(st.booleans())):
            break
        place = place[name]
    place[name] = data.draw(ODD)
    try:
        incoming = scheme.sign(good, NOW, "t" * 120)
    except (TypeError, AttributeError, OverflowError, ValueError):
        return  # it can't even be written as the provider writes it
    read(scheme, incoming)


@each
@given(values=ODD)
def test_json_and_forms_of_any_shape(scheme: Scheme, values: Any) -> None:
    good = like(scheme)
    pairs = (
        {str(name): str(value) for name, value in values.items()}
        if isinstance(values, dict)
        else {}
    )
    for body in (_json(values), urlencode(pairs, errors="replace").encode()):
        read(scheme, Incoming(method="POST", url=good.url, headers=good.headers, body=body))


def _json(values: Any) -> bytes:
    try:
        return encode(values)
    except (OverflowError, ValueError):
        return b"[]"
