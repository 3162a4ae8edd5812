"""What users and producers write is text: no header, no markup, no template."""

from typing import Any

import pytest

from tests.agents.names import unique
from tests.web.api.routes.test_sending import notification, person
from tests.web.house import Api

HOSTILE = "{{ 7*7 }}{% raw %}${7*7}<script>alert(1)</script>\"'\r\nBcc: all@example.com"


async def test_a_template_in_an_events_data_is_told_as_it_stands(api: Api) -> None:
    user = await person(api)
    said = notification(user, data={**notification(user)["data"], "text": HOSTILE})
    await api.done("POST", "/v1/notifications", said)
    items: list[Any] = []
    while not items:
        items = (await api.done("GET", f"/v1/users/{user}/inbox"))["items"]
    assert items[0]["body"].startswith("{{ 7*7 }}{% raw %}${7*7}<script>")


@pytest.mark.parametrize("name", ["a%0d%0aX-Evil:%201", "a%00b", "%0a", "a%1b[31m"])
async def test_a_name_that_would_break_a_line_is_refused(api: Api, name: str) -> None:
    for path in (f"/v1/users/{name}", f"/v1/notifications/{name}", f"/v1/users/{name}/inbox"):
        status, said = await api.call("GET", path)
        assert status == 400, (path, said)


async def test_no_answer_bears_a_header_of_the_callers(api: Api) -> None:
    key = api.keys["acme"]
    headers = {"Authorization": f"Bearer {key}", "Origin": "https://evil.example", "X-Evil": "1"}
    async with api.session.get(f"{api.url}/v1/users/{unique('u')}", headers=headers) as answer:
        assert "X-Evil" not in answer.headers
        assert key not in str(answer.headers)


async def test_a_page_shows_hostile_input_as_text(api: Api) -> None:
    user = await person(api)
    token = (await api.done("POST", f"/v1/users/{user}/token"))["token"]
    url = f"{api.url}/preferences/{token}"
    form = {"do": "save", "zone": HOSTILE, "start": HOSTILE, "end": HOSTILE, "on": HOSTILE}
    async with api.session.post(url, data=form, allow_redirects=False) as answer:
        text = await answer.text()
        assert answer.status == 400
        assert "<script" not in text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    hostile = {"Accept-Language": "<script>alert(1)</script>, de;q=0.5"}
    async with api.session.get(url, headers=hostile) as answer:
        assert "<script" not in await answer.text()
