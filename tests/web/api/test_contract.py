"""Every route does what its OpenAPI document says, whatever it is sent."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.patience import PATIENCE
from tests.web.house import Api

NEED_WHAT_EXISTS = {
    "GET /v1/notifications/{id}",
    "POST /v1/dead-letters/{id}/replay",
    "POST /v1/sources/{source}",
}
"""Ids that are made up are of nothing."""
NEED_THE_CATALOGUE = {f"POST /v1/{name}" for name in ("events", "notifications")} | {
    f"POST /v1/{name}/bulk" for name in ("events", "notifications")
}
"""Types that are made up are refused by these."""
SLOW = (
    *("GET /v1/figures/", "GET /v1/operations", "GET /v1/dead-letters"),
    "GET /v1/notifications",
)
"""They ask Kafka or ClickHouse much, and take little that could be wrong."""
CHECKS = [
    content_type_conformance,
    negative_data_rejection,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
]


def test_every_route_is_as_documented(api: Api) -> None:
    schema = schemathesis.openapi.from_url(f"{api.url}/v1/openapi.json", timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {api.keys['acme']}"}
    seen: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok() if isinstance(found, Ok) else pytest.fail(str(found))
        seen[operation.label] = _statuses(operation, headers)
    assert len(seen) > 10
    # A route that refused whatever it was sent would pass the checks as well.
    taken = {label for label, statuses in seen.items() if statuses & {200, 202}}
    assert taken >= seen.keys() - NEED_THE_CATALOGUE - NEED_WHAT_EXISTS


def _statuses(operation: Any, headers: dict[str, str]) -> set[int]:
    """Those of the answers to what the operation may be sent, and may not."""
    statuses: set[int] = set()

    most = 3 if operation.label.startswith(SLOW) else 8

    @settings(max_examples=most, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        answer = case.call_and_validate(headers=headers, checks=CHECKS, timeout=PATIENCE)
        statuses.add(answer.status_code)

    check()
    return statuses
