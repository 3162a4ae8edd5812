"""Time that passes only while everybody waits: what is said of seconds holds on any machine.

For tests without sockets, threads or processes, which take real time.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

Arguments = ParamSpec("Arguments")


class _SkippingSelector(selectors.SelectSelector):
    """Does not wait for the next timer, but moves the clock to it."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready at this moment."""
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits, and nothing is due that could wake one"
            self.now += max(0.0, timeout)
        return ready


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = _SkippingSelector()
        super().__init__(self._skipping)

    def time(self) -> float:
        """Seconds that were waited so far."""
        return self._skipping.now


def in_virtual_time(
    test: Callable[Arguments, Coroutine[Any, Any, None]],
) -> Callable[Arguments, None]:
    """Run an async test in a loop of its own whose clock, `now`, begins at 0."""

    @functools.wraps(test)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


def now() -> float:
    """Seconds that have passed in this test."""
    return asyncio.get_running_loop().time()
