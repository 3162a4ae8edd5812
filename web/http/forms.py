"""Forms as our pages send them, read so that no body makes a handler fail."""

from urllib.parse import parse_qsl

from aiohttp import web
from multidict import MultiDict

URLENCODED = "application/x-www-form-urlencoded"
MOST_FIELDS = 20_000
"""Of a page: a thousand categories, each with all channels shown and on, have fewer."""

Form = MultiDict[str]


async def form_of(request: web.Request) -> Form | None:
    """The fields of a form; None where the body is none, or can't be read.

    It is read as UTF-8, whatever charset is named: no page of ours sends another.
    """
    if request.content_type != URLENCODED:
        return None
    try:
        text = (await request.read()).decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except (ValueError, web.RequestPayloadError, web.HTTPRequestEntityTooLarge):
        return None
    return MultiDict(pairs)
