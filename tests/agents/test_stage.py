"""A stage leaves nothing to the next one, though all share their topics."""

from pathlib import Path

import pytest

from pipeline.producing.outputs import Outputs
from schemas.errors import Unavailable
from schemas.event import Notify
from schemas.topics import CONTACTS, EVENTS
from tests.agents.decider.test_agent import killed
from tests.agents.line import Line
from tests.agents.names import unique
from tests.agents.samples import event, reachable
from tests.agents.stage import Stage, staging
from tests.agents.test_blocking import COMMENT

A_DAY = 86_400_000


async def a_comment(stage: Stage) -> None:
    """Its push waits for ten minutes."""
    user = unique("user")
    await stage.say(CONTACTS, reachable(user))
    await stage.work(stage.decider)
    notify = Notify(type="comment_added", users=(user,))
    await stage.say(EVENTS, event("notify.comment_added", COMMENT, notify=notify))
    await stage.work(stage.router)


@pytest.mark.parametrize("waits", [True, False], ids=["due later", "killed before it was sent"])
async def test_what_is_left_at_the_end_of_a_test_reaches_no_other(
    line: Line, tmp_path: Path, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staging(line, tmp_path / "one") as stage:
        await a_comment(stage)
        if waits:
            await stage.work(stage.decider)
        else:
            with monkeypatch.context() as planted:
                planted.setattr(Outputs, "send", killed)
                with pytest.raises(Unavailable, match="killed"):
                    await stage.work(stage.decider)
            await stage.restart(in_order=False)
    async with staging(line, tmp_path / "other") as stage:
        stage.clock.ahead += A_DAY
        await stage.work(stage.decider)
        assert await stage.told() == []
