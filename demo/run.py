"""`tocsin demo`: start everything, let a producer loose, and judge what came of it."""

import asyncio
import signal
import sys
from pathlib import Path

from rich.console import Console

from analytics.clickhouse import ClickHouse
from analytics.reconcile import Reconciled, reconcile
from cli.commands.reconcile import print_reconciled
from demo.dataset.world import SEED, World, make_world
from demo.produce.producer_log import Claims, read_claims
from demo.produce.shop_catalogue import with_the_shop
from demo.run_folder import run_folder
from demo.show.gauges import Gauges, show_lags
from demo.show.playground import open_shop
from demo.show.progress import Board
from demo.show.summary import (
    Analysts,
    as_line,
    ask_clickhouse,
    disagreements,
    is_in_order,
    print_summary,
)
from demo.verify.expected.type_spec import read_type_specs
from demo.verify.findings import Findings
from demo.verify.gathering import gather_evidence
from demo.verify.judge import judge
from embedded.local_stack import CATALOGUE, WEB, LocalStack
from embedded.process import Child
from embedded.retries import retries_waiting
from pipeline.admin.lag import Lag
from pipeline.admin.source_lag import source_lags
from pipeline.catalogue_folder import read_catalogue
from pipeline.clock import SystemClock
from schemas.topics import ROLES
from schemas.vocabulary import Channel

ROOT = Path(__file__).parent.parent
ORDERS_EVERY = 20
"""Events of the demo for each of which the shop ships an order of its own."""
PATIENCE = 60.0
"""Seconds in which nothing moves before what is not done counts as lost."""
LOOK_EVERY = 0.8
STUCK = f"Nothing has moved for {PATIENCE:g} s; going on without the rest"
STAGES = "SELECT stage, channel, count() FROM delivery_events GROUP BY stage, channel"

DEMO_ROLES = tuple(role for role in ROLES if role not in (Channel.CHAT, Channel.WEBHOOK))
"""Nobody in the demo's town has a chat or a program that listens."""
TOGETHER = {
    "deciding": ("intake", "router", "decider", Channel.INAPP),
    "sending": (Channel.PUSH, Channel.EMAIL, Channel.SMS, "retry", "analytics"),
}
"""Two processes, as all of it at once is more than one processor core does."""


def run_demo(folder: Path, events: int, seconds: float, keep: bool, as_json: bool) -> int:
    """Run the demo under `folder`; returns 0 if nothing is wrong, else 1.

    Nothing is wrong if the judge finds no fault of any kind, Kafka, ClickHouse and the providers
    are reconciled, and ClickHouse has the same figures as the judge.

    With `as_json` standard output gets one line of JSON and all else goes to standard error.
    With `keep` everything stays up until Ctrl-C. Raises TocsinError when a part can't start.
    """
    told = Console(stderr=as_json)
    with run_folder(folder) as fresh:
        # Pages of other origins are let in, as the one to play with has a port of its own.
        roles = (*DEMO_ROLES, WEB) if keep else DEMO_ROLES
        catalogue = with_the_shop(CATALOGUE, fresh / "catalogue")
        house = LocalStack(
            fresh, roles=roles, together=TOGETHER, cors_origins='["*"]', catalogue=catalogue
        )
        demo = Demo(house, fresh / "producer.jsonl", fresh / "shop.jsonl", events, seconds)
        is_right = asyncio.run(demo.run(told, keep, as_json))
    return 0 if is_right else 1


class Demo:
    """One run, from an empty folder to the verdict."""

    def __init__(
        self, house: LocalStack, log: Path, shop_log: Path, events: int, seconds: float
    ) -> None:
        self._house = house
        self._log = log
        self._shop_log = shop_log
        self._events = events
        self._seconds = seconds

    async def run(self, told: Console, keep: bool, as_json: bool) -> bool:
        """Run it, tell of it, and stop everything; whether all was as it should be."""
        try:
            with Board(told) as board:
                found, analysts, reconciled = await self._watch(board)
                seconds = board.seconds
            if as_json:
                sys.stdout.write(as_line(found, analysts, reconciled, seconds) + "\n")
                sys.stdout.flush()
                for sentence in disagreements(found, analysts):
                    told.print(sentence, highlight=False, markup=False)
            else:
                print_summary(told, found, analysts)
                print_reconciled(told, reconciled)
            if keep:
                await self._stay_up(told)
        finally:
            await self._house.stop()
        return is_in_order(found, analysts, reconciled)

    async def _watch(self, board: Board) -> tuple[Findings, Analysts, Reconciled]:
        await self._house.start(board.stage)
        settings = self._house.settings
        clickhouse = ClickHouse(settings)
        world = make_world(SEED)
        async with Lag(settings.kafka, settings.partitions) as lag:
            await self._settle_world(board, lag, world)
            gauges = Gauges(board, self._log, self._house.accept_log, clickhouse, self._events)
            await self._let_loose(board, lag, gauges)
        board.stage("The judge works out what should have happened, and compares")
        evidence = await gather_evidence(settings, self._house.accept_log)
        claims = await asyncio.to_thread(self._claims)
        specs = read_type_specs(settings.catalogue)
        found = await asyncio.to_thread(judge, world, specs, claims, evidence)
        analysts = await ask_clickhouse(clickhouse)
        board.stage("Kafka, ClickHouse and the providers' logs are reconciled")
        accepted = [each.delivery_id for each in evidence.accepted if each.delivery_id]
        catalogue = read_catalogue(settings.catalogue)
        now = SystemClock().now()
        reconciled = await reconcile(clickhouse, settings.kafka, catalogue, 0, now, accepted)
        await clickhouse.close()
        board.stage("Done")
        return found, analysts, reconciled

    async def _settle_world(self, board: Board, lag: Lag, world: World) -> None:
        board.stage(f"{len(world.users):,} people and {world.follow_count():,} follows are written")
        await self._produce("world")
        board.stage("The router counts followers, the decider learns who is who")

        async def tell(lags: dict[str, int]) -> None:
            board.show(lag=show_lags(lags))

        if not await lag.settle(PATIENCE, tell, ("router", "decider")):
            board.stage(STUCK)

    async def _let_loose(self, board: Board, lag: Lag, gauges: Gauges) -> None:
        board.stage(f"{self._events:,} events in {self._seconds:g} s, by a separate process")
        options = ["events", "--events", str(self._events), "--seconds", str(self._seconds)]
        producing = [
            asyncio.create_task(self._produce(*options)),
            asyncio.create_task(self._ship()),
        ]
        while not all(each.done() for each in producing):
            await gauges.show((await lag.look())[0])
            await asyncio.wait(producing, timeout=LOOK_EVERY)
        await asyncio.gather(*producing)
        board.stage("The last notifications are on their way")
        if not await lag.settle(PATIENCE, gauges.show, waiting=self._waiting):
            board.stage(STUCK)

    async def _waiting(self) -> int:
        """Deliveries to be tried again, and records of the shop that are not read yet."""
        settings = self._house.settings
        sources = read_catalogue(settings.catalogue).sources.values()
        lags = await source_lags(settings.brokers, sources)
        return await retries_waiting(self._house) + sum(each.lag + each.unread for each in lags)

    async def _produce(self, *options: str) -> None:
        await self._run("producer", self._log, *options)

    async def _ship(self) -> None:
        orders = max(1, self._events // ORDERS_EVERY)
        await self._run(
            "shop", self._shop_log, "--orders", str(orders), "--seconds", str(self._seconds)
        )

    async def _run(self, name: str, log: Path, *options: str) -> None:
        kafka = self._house.settings.kafka
        argv = ["--kafka", kafka, "--log", str(log), "--seed", str(SEED), *options]
        producer = Child(f"The demo's {name}")
        await producer.run(
            [sys.executable, "-m", f"demo.produce.{name}", *argv],
            {"PYTHONPATH": str(ROOT)},
            self._house.folder / "logs" / f"{name}.log",
        )

    def _claims(self) -> Claims:
        claims = Claims()
        for log in (self._log, self._shop_log):
            with log.open(encoding="utf-8") as lines:
                read_claims(lines, claims)
        return claims

    async def _stay_up(self, told: Console) -> None:
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        async with open_shop(self._house) as page:
            self._tell_places(told, page)
            await stop.wait()

    def _tell_places(self, told: Console, page: str) -> None:
        settings = self._house.settings
        url = f"http://{settings.clickhouse_host}:{settings.clickhouse_port}/"
        for line in (
            f"Play with it  {page}",
            f"Kafka         {settings.kafka}",
            f"ClickHouse    {url}",
            f"Accept log    {self._house.accept_log}",
            f"Producer log  {self._log}",
            f"The shop's     {self._shop_log}",
            f"curl {url} --data '{STAGES}'",
            "All of it stays up until Ctrl-C.",
        ):
            told.print(line, highlight=False, markup=False, soft_wrap=True)
