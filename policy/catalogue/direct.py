"""The built-in type of messages whose texts the caller gives, compiled as if it were declared."""

from functools import lru_cache

from msgspec.structs import replace

from policy.catalogue.compile import compiled_type
from policy.catalogue.entry import CategoryEntry, Entry, Limit
from policy.catalogue.text_entry import ActionEntry, ByChannel, Templates
from policy.message import MESSAGE, MessagePriority
from policy.notification_type import NotificationType, Step
from schemas.vocabulary import Channel

_BODY = "{{ data.body }}"
_TITLED = Templates(title="{{ data.title|default('') }}", body=_BODY)
_IS_THERE = "{% if data.actions is defined and data.actions|length > "
_ACTIONS = tuple(
    ActionEntry(
        label=f"{_IS_THERE}{at} %}}{{{{ data.actions[{at}].label }}}}{{% endif %}}",
        url=f"{_IS_THERE}{at} %}}{{{{ data.actions[{at}].url }}}}{{% endif %}}",
    )
    for at in range(3)
)
_SHOWN = replace(_TITLED, image="{{ data.image|default('') }}", actions=_ACTIONS)
_TEMPLATES = ByChannel(
    push=_SHOWN,
    email=Templates(
        title="{{ data.title }}",
        body=_BODY,
        html='<div style="white-space: pre-line">{{ data.body }}</div>',
    ),
    sms=Templates(body=_BODY),
    inapp=_SHOWN,
    chat=_SHOWN,
    webhook=_TITLED,
)


@lru_cache(maxsize=1024)
def direct_type(
    category: str, limit: Limit | None, priority: MessagePriority, version: str
) -> NotificationType:
    """The type of messages of this category and priority, with every channel that one may name.

    `limit` is the category's.

    It is under the rules of any type that says nothing else: preferences, quiet hours, the shared
    limits and those of its category, deduplication, and a day to live.
    """
    entry = Entry(
        category=category,
        priority=priority,
        channels=tuple(Channel),
        templates=_TEMPLATES,
        time_to_live="1d",
        users="users",
    )
    categories = {category: CategoryEntry(rate_limit=limit)}
    spec = compiled_type(MESSAGE, entry, MESSAGE, categories, {}, version)
    # What limits gather is of one category, as people are asked by category what they want.
    plans = tuple(replace(plan, digest_key=("category",)) for plan in spec.steps[0].plans)
    step = Step(plans=plans, online_plans=plans)
    return replace(spec, names_channels=True, steps=(step,))
