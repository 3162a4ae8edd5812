"""A null in an event's data is as absent as a field that is missing, wherever it stands."""

from typing import Any

from jinja2 import Environment, StrictUndefined, pass_context, pass_environment
from jinja2.exceptions import UndefinedError
from jinja2.filters import do_first, do_last, sync_do_map

ITEM = "an item of the list is null"


def shown(value: Any) -> Any:
    """The value that a template is about to show; raises UndefinedError for null."""
    if value is None:
        raise UndefinedError("a null can't be shown; default(…) says what to show instead")
    return value


def item(value: Any) -> Any:
    """An item of a list, so that the filter `default` knows it for absent where it is null."""
    return StrictUndefined(ITEM) if value is None else value


@pass_environment
def _first(environment: Environment, value: Any) -> Any:
    return item(do_first(environment, value))


@pass_environment
def _last(environment: Environment, value: Any) -> Any:
    return item(do_last(environment, value))


@pass_context
def _map(context: Any, value: Any, *args: Any, **options: Any) -> Any:
    return sync_do_map(context, map(item, value), *args, **options)


FILTERS: dict[str, Any] = {"first": _first, "last": _last, "map": _map}
