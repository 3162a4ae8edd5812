"""Who else may write to topics that are nobody's to write, where Kafka has access rules."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aiokafka import errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import DescribeAclsRequest

from schemas.topics import PREFIX, TOPICS

ANY = 1
TOPIC, TRANSACTIONAL_ID = 2, 5
LITERAL, PREFIXED = 3, 4
ALL, WRITE = 2, 4
DENY, ALLOW = 2, 3
"""As Kafka numbers kinds of resources and of names, operations and permissions."""
EVERYTHING = "*"
EVERYBODY = "User:*"
INTERNAL = tuple(topic.name for topic in TOPICS if "producers" not in topic.written_by.split(", "))
"""Topics that Tocsin alone writes."""


class Rule(NamedTuple):
    """One access rule, in Kafka's numbers."""

    resource: int
    name: str
    pattern: int
    principal: str
    host: str
    operation: int
    permission: int

    def covers(self, topic: str) -> bool:
        """Whether it is about writing to this topic."""
        if self.resource != TOPIC or self.operation not in (ALL, WRITE):
            return False
        if self.pattern == PREFIXED:
            return topic.startswith(self.name)
        return self.name in (topic, EVERYTHING)


async def rules_of(client: AIOKafkaClient) -> list[Rule] | None:
    """All rules; None where Kafka has none. Raises KafkaError, as where we must not see them."""
    request = DescribeAclsRequest(ANY, None, ANY, None, None, ANY, ANY)
    answer = await client.send(client.get_random_node(), request)
    error = errors.for_code(answer.error_code)
    if error is errors.SecurityDisabled:
        return None
    if answer.error_code:
        raise error(answer.error_message)
    return [
        Rule(resource, name, pattern, *rule)
        for resource, name, pattern, rules in answer.resources
        for rule in rules
    ]


def foreign_writers(
    rules: Iterable[Rule], prefix: str = "", user: str = ""
) -> Mapping[str, list[str]]:
    """By principal that isn't ours, the internal topics that it may write, without the prefix.

    Ours are `user`, who asks, and whoever was given our transactional ids, as workers are. Super
    users are in no rule.
    """
    known = list(rules)
    ours = {f"User:{user}"} | {
        rule.principal
        for rule in known
        if rule.resource == TRANSACTIONAL_ID and rule.name.startswith(prefix + PREFIX)
    }
    allowed = [rule for rule in known if rule.permission == ALLOW and rule.principal not in ours]
    denied = [rule for rule in known if rule.permission == DENY and rule.host == EVERYTHING]
    found: dict[str, list[str]] = {}
    for principal in sorted({rule.principal for rule in allowed}):
        own = [rule for rule in allowed if rule.principal == principal]
        against = [rule for rule in denied if rule.principal in (principal, EVERYBODY)]
        topics = [
            topic
            for topic in INTERNAL
            if any(rule.covers(prefix + topic) for rule in own)
            and not any(rule.covers(prefix + topic) for rule in against)
        ]
        if topics:
            found[principal] = topics
    return found
