"""Who may write where nobody but Tocsin should."""

import pytest

from pipeline.admin.foreign_writers import (
    ALL,
    ALLOW,
    DENY,
    INTERNAL,
    LITERAL,
    PREFIXED,
    TOPIC,
    TRANSACTIONAL_ID,
    WRITE,
    Rule,
    foreign_writers,
)

READ, GROUP = 3, 3


def rule(
    name: str,
    who: str = "User:shop",
    pattern: int = LITERAL,
    operation: int = WRITE,
    permission: int = ALLOW,
    resource: int = TOPIC,
    host: str = "*",
) -> Rule:
    """A rule that lets the shop write to a topic, unless it says otherwise."""
    return Rule(resource, name, pattern, who, host, operation, permission)


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([rule("placed.router")], ["placed.router"]),
        ([rule("placed.router", operation=ALL)], ["placed.router"]),
        ([rule("placed.", pattern=PREFIXED)], ["placed.router", "placed.decider"]),
        ([rule("*")], list(INTERNAL)),
        ([rule("events"), rule("contacts")], []),
        ([rule("outcomes", operation=READ)], []),
        ([rule("outcomes", resource=GROUP)], []),
        ([rule("placed.rout")], []),
        ([rule("outcomes"), rule("outcomes", permission=DENY)], []),
        ([rule("outcomes"), rule("outcomes", "User:*", permission=DENY)], []),
        ([rule("outcomes"), rule("outcomes", "User:b", permission=DENY)], ["outcomes"]),
        ([rule("outcomes"), rule("outcomes", permission=DENY, host="10.0.0.1")], ["outcomes"]),
    ],
)
def test_what_a_rule_lets_others_write(rules: list[Rule], found: list[str]) -> None:
    assert foreign_writers(rules).get("User:shop", []) == found


def test_whoever_asks_and_whoever_works_for_us_is_no_other() -> None:
    ids = rule("left.tocsin-", "User:worker", PREFIXED, resource=TRANSACTIONAL_ID)
    rules = [rule("left.outcomes", who) for who in ("User:me", "User:worker", "User:shop")]
    assert foreign_writers([ids, *rules], "left.", "me") == {"User:shop": ["outcomes"]}
    anything = rule("*", "User:worker", resource=TRANSACTIONAL_ID)
    assert "User:worker" in foreign_writers([anything, *rules], "left.", "me")


def test_what_producers_write_is_not_among_them() -> None:
    assert {"requests.high", "misplaced", "outcomes", "erasures", "decider-changelog"} <= {
        *INTERNAL
    }
    assert not {"events", "contacts", "blocks", "feedback"} & {*INTERNAL}
