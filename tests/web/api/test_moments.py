"""A moment has one name, though an older one is known."""

from typing import Any

import pytest

from tests.web.api.client import Client

A_YEAR_ON, LATER = "2026-07-20T08:26:40Z", "2026-07-20T08:26:41Z"
COMMENT = {"type": "comment_added", "users": ["ann"], "data": {}}


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("", {**COMMENT, "deliver_at": A_YEAR_ON, "scheduled_at": A_YEAR_ON}, "/scheduled_at"),
        (
            "/bulk",
            {
                "notifications": [
                    COMMENT,
                    {**COMMENT, "deliver_at": A_YEAR_ON, "scheduled_at": LATER},
                ]
            },
            "/notifications/1/scheduled_at",
        ),
    ],
)
async def test_a_moment_has_one_name(client: Client, path: str, body: Any, pointer: str) -> None:
    status, problem = await client.call("POST", f"/notifications{path}", body)
    (error,) = problem["errors"]
    assert (status, error["pointer"]) == (400, pointer)
    assert error["detail"] == "is an older name of deliver_at: one of them is enough"
    assert client.topics.topics == {}
