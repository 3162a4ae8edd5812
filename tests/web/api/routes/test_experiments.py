"""What came of an experiment is told by HTTP and by command, alike, and to its tenant alone."""

import asyncio
import json

from click.testing import CliRunner, Result

from analytics.clickhouse import ClickHouse
from cli.main import tocsin
from pipeline.settings import Settings
from schemas.vocabulary import Stage
from tests.agents.names import unique
from tests.analytics.story import happened, sent
from tests.web.house import Api


async def run(api: Api, *arguments: str) -> Result:
    runner = CliRunner(env={**api.house.environment, "COLUMNS": "100"})
    return await asyncio.to_thread(runner.invoke, tocsin, ["experiment", *arguments])


async def told(api: Api) -> str:
    """A type of which 40 users got each variant, and 10 and 30 opened it."""
    kind, rows = unique("type"), []
    for variant, opened in (("plain", 10), ("warm", 30)):
        for number in range(40):
            name = unique("n")
            rows += sent(name, 100, type=kind, variant=f"greeting/{variant}")
            if number < opened:
                rows.append(happened(Stage.OPENED, name, 500, type=kind))
    server = api.house.clickhouse
    client = ClickHouse(Settings(clickhouse_host=server.host, clickhouse_port=server.port))
    await client.insert(rows)
    await client.close()
    return kind


async def test_results_are_told(api: Api) -> None:
    kind = await told(api)
    path = f"/v1/experiments/{kind}"
    (found,) = await api.done("GET", path)
    assert (found["experiment"], found["metric"]) == ("greeting", "opened")
    plain, warm = found["variants"]
    assert (plain["users"], plain["sent"], plain["successes"], plain["rate"]) == (40, 40, 10, 0.25)
    assert (warm["variant"], warm["rate"]) == ("warm", 0.75)
    (compared,) = found["compared"]
    assert compared["verdict"] == "better"
    assert compared["excludes_zero"] is True
    run_json = await run(api, kind, "--tenant", "acme", "--json")
    assert [json.loads(line) for line in run_json.output.splitlines()] == [found]
    shown = (await run(api, kind, "--tenant", "acme")).output
    assert "25.0%" in shown
    assert compared["said"] in " ".join(shown.split())
    clicked = await api.done("GET", path, params={"metric": "clicked"})
    assert clicked[0]["compared"][0]["verdict"] == "too_little"


async def test_what_is_not_there_is_said(api: Api) -> None:
    kind = await told(api)
    path = f"/v1/experiments/{kind}"
    assert await api.done("GET", path, key="globex") == []
    assert await api.done("GET", path, params={"to": "2020-01-01"}) == []
    assert (await api.call("GET", path, key="sender"))[0] == 403
    mixed = {"from": "2026-02-01", "to": "2026-01-01"}
    assert (await api.call("GET", path, params=mixed))[0] == 400
    result = await run(api, kind, "--from", "2026-02-01", "--to", "2026-01-01")
    assert str(result.exception) == "--to 2026-01-01 is before --from 2026-02-01."
    nothing = await run(api, "order_shipped")
    assert nothing.output == "order_shipped has no experiment, and had none that was sent.\n"
