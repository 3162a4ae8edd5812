"""Outboxes against a list that does the same in the plainest way, whatever comes in which order."""

import asyncio
from dataclasses import dataclass, field
from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as st

from agents.decider.feed_queries import FeedAnswers
from agents.decider.outboxes import keep_post, withdraw
from agents.edges import put_edge
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import Outputs
from policy.audience.feed import item_id
from policy.catalogue.catalogue import parse
from policy.identity import notification_id
from policy.time.timestamps import moment
from schemas.erasure import Withdrawal
from schemas.event import Event
from schemas.feed import Post
from schemas.question import ReadPosts
from tables.outboxes import AGES, OUTBOXES, POST_RETENTION_MS, POSTS, aged, item_at
from tables.storage.memory_store import MemoryStore
from tables.storage.table import parts_of
from tables.storage.transaction import Transaction
from tests.agents.shifted_clock import ShiftedClock

CATALOGUE = parse(
    {
        "post.toml": """
event = "post.published"
[types.post]
category = "social"
priority = "normal"
channels = ["inapp"]
followers = true
time_to_live = 3600
templates.inapp.body = "hello"
"""
    }
)
BEGIN = 1_773_480_413_600
MOST = 3
TENANTS, ACTORS, USERS = ("acme", "globex"), ("eve", "bob", "al"), ("ann", "eve")
tenants, actors, users = map(st.sampled_from, (TENANTS, ACTORS, USERS))
jumps = st.sampled_from((0, 1, 1000, POST_RETENTION_MS // 2))
steps = st.one_of(
    st.tuples(st.just("post"), tenants, actors, st.sampled_from("abcdef"), jumps),
    st.tuples(st.just("follow"), tenants, users, actors, st.booleans()),
    st.tuples(st.just("withdraw"), tenants, actors, st.integers(0, 5000)),
)


@dataclass
class Model:
    """The posts in the order in which they came, and who follows whom."""

    now: int = BEGIN
    posts: list[tuple[str, str, str]] = field(default_factory=list)
    """Tenant, actor and item id."""
    edges: set[tuple[str, str, str]] = field(default_factory=set)

    def post(self, said: Post) -> None:
        tenant, actor = said.event.tenant, said.event.actor
        item = item_id(said)
        first = said.accepted_at - POST_RETENTION_MS
        self.posts = [each for each in self.posts if int(each[2][:13]) >= first]
        own = [each for each in self.posts if each[:2] == (tenant, actor)]
        if any(each[2].endswith(said.notification_id) for each in own):
            return
        own = sorted([*own, (tenant, actor, item)], reverse=True)
        self.posts = [each for each in self.posts if each not in own] + own[:MOST]

    def withdraw(self, said: Withdrawal) -> None:
        self.posts = [
            each
            for each in self.posts
            if each[:2] != (said.tenant, said.actor) or int(each[2][:13]) > said.at
        ]

    def feed(self, tenant: str, user: str) -> list[str]:
        return sorted(
            (
                item
                for owner, actor, item in self.posts
                if (tenant, user, actor) in self.edges
                and owner == tenant
                and actor != user
                and int(item[:13]) >= self.now - POST_RETENTION_MS
            ),
            reverse=True,
        )


def turn_of(store: MemoryStore) -> Transaction:
    return Transaction(None, store, Outputs(MemoryLog(ShiftedClock())))


async def play(said: list[list[tuple[str, ...]]]) -> None:
    """Each inner list is one slice."""
    store, model = MemoryStore(), Model()
    for slice_ in said:
        transaction = turn_of(store)
        for step in slice_:
            _step(transaction, model, step)
        await transaction.commit()
        _check_rows(store)
        for tenant in TENANTS:
            for user in USERS:
                assert _read(store, model, tenant, user) == model.feed(tenant, user)


def _step(transaction: Transaction, model: Model, step: tuple[str, ...]) -> None:
    match step:
        case ("post", tenant, actor, name, jump):
            model.now += int(jump)
            said = _post(tenant, actor, name, model.now)
            keep_post(transaction, said)
            model.post(said)
        case ("follow", tenant, user, actor, following):
            put_edge(transaction, tenant, actor, user, following=bool(following))
            edge = (tenant, user, actor)
            (model.edges.add if following else model.edges.discard)(edge)
        case ("withdraw", tenant, actor, ago):
            withdrawal = Withdrawal(actor=actor, at=model.now - int(ago), tenant=tenant)
            withdraw(transaction, withdrawal)
            model.withdraw(withdrawal)


def _post(tenant: str, actor: str, name: str, at: int) -> Post:
    event = Event(
        id=f"{actor}-{name}",
        type="post.published",
        actor=actor,
        occurred_at=moment(at),
        tenant=tenant,
    )
    own = notification_id(tenant, event.id, "", "post")
    return Post(notification_id=own, type="post", event=event, accepted_at=at)


def _read(store: MemoryStore, model: Model, tenant: str, user: str) -> list[str]:
    """The whole, by pages of two."""
    found: list[str] = []
    before = None
    while True:
        asked = ReadPosts(tenant=tenant, user=user, before=before, limit=2)
        page = FeedAnswers(turn_of(store), CATALOGUE, asked, model.now).posts()
        assert len(page.items) <= 2
        found += [item.id for item in page.items]
        if page.end is None:
            return found
        before = page.end


def _check_rows(store: MemoryStore) -> None:
    """The three tables say the same."""
    transaction = turn_of(store)
    posts = [(*parts_of(key)[:2], item_at(key)) for key in transaction.view(POSTS).keys(b"")]
    assert sorted(aged(key) for key in transaction.view(AGES).keys(b"")) == sorted(posts)
    newest: dict[tuple[str, str], str] = {}
    for tenant, actor, item in posts:
        newest[tenant, actor] = max(item, newest.get((tenant, actor), ""))
    boxes = transaction.view(OUTBOXES)
    found = {tuple(parts_of(key)): boxes.get(key) for key in boxes.keys(b"")}
    assert found == newest
    assert len(posts) <= MOST * len(TENANTS) * len(ACTORS)


LONG_AGO_AND_AGAIN = [
    [("follow", "acme", "ann", "bob", True), ("post", "acme", "bob", "a", 0)],
    [("post", "acme", "eve", "a", POST_RETENTION_MS + 1), ("post", "acme", "bob", "a", 0)],
]
SAID_AGAIN_FIRST = [LONG_AGO_AND_AGAIN[0], [("post", "acme", "bob", "a", POST_RETENTION_MS + 1)]]


@given(st.lists(st.lists(steps, min_size=1, max_size=6), max_size=8))
@example(LONG_AGO_AND_AGAIN)
@example(SAID_AGAIN_FIRST)
def test_outboxes_are_as_a_plain_list_would_be(said: list[list[tuple[str, ...]]]) -> None:
    with patch("agents.decider.outboxes.MOST_POSTS", MOST):
        asyncio.run(play(said))
