"""Some weeks of two small companies, and what analysts ask of them, counted in plain Python.

The counting knows nothing of the schema: it goes through what happened, as somebody with a printed
list and a pencil would, by what the dictionary says that each figure means.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from policy.identity import delivery_event_id
from policy.user.opt_outs import OptOut, left
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Channel, Priority, Reason, Stage

PUSH, EMAIL, SMS = Channel.PUSH, Channel.EMAIL, Channel.SMS
DAY_MS = 86_400_000
MINUTE = 60_000
_TODAY = datetime.now(UTC).date()
FIRST = _TODAY - timedelta(days=_TODAY.weekday() + 49)
"""A Monday, seven weeks ago: who came then has had thirty days to come back."""
BEGINS = int(datetime.combine(FIRST, time(10), UTC).timestamp() * 1000)
NOW = (datetime.now(UTC).timestamp() * 1000 - BEGINS) / DAY_MS - 1 / 24
WITHIN = 3 * 86_400
"""Seconds in which the goal counts."""
OPENABLE = (PUSH, EMAIL, Channel.INAPP)


def row(
    place: str, stage: Stage, channel: Channel | None, day: float = 0, after: int = 100, **more: Any
) -> DeliveryEvent:
    """What happened `after` ms to the notification of an event on a day, at TENANT/USER/TYPE/N.

    Ids are equal in both tenants, which no two of ours are.
    """
    tenant, user, kind, number = place.split("/")
    name, at = f"{user}-{kind}-{number}", BEGINS + int(day * DAY_MS)
    again = more.pop("again", "")
    is_delivery = stage not in (Stage.SUPPRESSED, Stage.HELD, Stage.ASSIGNED, Stage.GOAL)
    known: dict[str, Any] = {
        "id": delivery_event_id(name, channel, stage, 0) + again, "stage": stage,
        "at": at + after, "occurred_at": at, "accepted_at": at, "tenant": tenant, "user": user,
        "type": kind, "category": kind, "priority": Priority.NORMAL, "event_id": f"e-{number}",
        "notification_id": name, "delivery_id": f"{name}-{channel}" if is_delivery else "",
        "channel": channel, "catalogue": "c1",
    }  # fmt: skip
    known.update(more)
    return DeliveryEvent(**known)


def went(place: str, channel: Channel, day: float = 0, **more: Any) -> list[DeliveryEvent]:
    """Queued and taken by a provider."""
    provider = {"push": "fcm", "email": "ses", "sms": "vonage"}[channel]
    shared: dict[str, Any] = {key: more.pop(key) for key in ("attribute", "variant") if key in more}
    known: dict[str, Any] = {"provider": provider, **shared, **more}
    return [
        row(place, Stage.QUEUED, channel, day, 1, **shared),
        row(place, Stage.SENT, channel, day, **known),
    ]


def grouped(place: str, group: str, day: float = 0) -> DeliveryEvent:
    variant = f"holdout.h/{group}"
    return row(
        place, Stage.ASSIGNED, None, day, 1, variant=variant, within=WITHIN, again=f".{variant}"
    )


def goal(tenant: str, user: str, day: float) -> DeliveryEvent:
    return row(f"{tenant}/{user}/tips/goal{day}", Stage.GOAL, None, day, 1)


def gone(tenant: str, user: str, category: str, channel: Channel, by: str, day: float) -> Any:
    return left(tenant, user, OptOut(category, channel), by, BEGINS + int(day * DAY_MS))


PRO: dict[str, Any] = {"attribute": "plan=pro"}
FREE: dict[str, Any] = {"attribute": "plan=free"}
NONE: dict[str, Any] = {"attribute": "plan="}
DE: dict[str, Any] = {"destination": "DE mobile"}
HAPPENED: list[DeliveryEvent] = [
    # Ann is told by push and by mail, opens the mail twenty days late, buys within the three days
    # and is there after nine. What she is told next week changes nothing of when she began.
    grouped("acme/ann/tips/1", "told"),
    *went("acme/ann/tips/1", PUSH, **PRO), *went("acme/ann/tips/1", EMAIL, **PRO),
    row("acme/ann/tips/1", Stage.OPENED, EMAIL, 0, 20 * DAY_MS, provider="ses"),
    goal("acme", "ann", 1), goal("acme", "ann", 9),
    grouped("acme/ann/tips/2", "told", 7), *went("acme/ann/tips/2", PUSH, 7, **PRO),
    # Bob buys too late for the goal, and is there after a day; a machine opens his mail. His event
    # comes again after its time to live, when nothing knows it any more.
    grouped("acme/bob/tips/1", "told"), *went("acme/bob/tips/1", EMAIL, **FREE),
    row("acme/bob/tips/1", Stage.OPENED, EMAIL, 0, 9, again=".machine", detail="machine"),
    goal("acme", "bob", 3.5),
    row("acme/bob/tips/1", Stage.SUPPRESSED, None, 0, 5 * DAY_MS, reason=Reason.EXPIRED, **FREE),
    # Cyd and Dan are held out; Cyd buys, before and in time, and again after fifteen days.
    grouped("acme/cyd/tips/1", "held_out"), goal("acme", "cyd", -1), goal("acme", "cyd", 2),
    goal("acme", "cyd", 15),
    row("acme/cyd/tips/1", Stage.SUPPRESSED, None, 0, 1, reason=Reason.HOLDOUT, **PRO),
    grouped("acme/dan/tips/1", "held_out"),
    row("acme/dan/tips/1", Stage.SUPPRESSED, None, 0, 1, reason=Reason.HOLDOUT, **NONE),
    # Eve had left mails before the first came, so she gets the push alone, and clicks in it.
    gone("acme", "eve", "tips", EMAIL, "page", -2), grouped("acme/eve/tips/1", "told"),
    row("acme/eve/tips/1", Stage.SUPPRESSED, EMAIL, 0, 1, reason=Reason.OPTED_OUT, **FREE),
    *went("acme/eve/tips/1", PUSH, **FREE),
    row("acme/eve/tips/1", Stage.CLICKED, PUSH, 0, 30 * MINUTE, provider="links"),
    # Whatever shows the message opens it only after that.
    row("acme/eve/tips/1", Stage.OPENED, PUSH, 0, 40 * MINUTE, provider="links"),
    # Fay complains of a mail, after one that she read, of the month before it.
    *went("acme/fay/news/1", EMAIL, -35), *went("acme/fay/tips/1", EMAIL, **NONE),
    row("acme/fay/news/1", Stage.OPENED, EMAIL, -35, 10 * MINUTE, provider="ses"),
    row("acme/fay/tips/1", Stage.COMPLAINED, EMAIL, 0, DAY_MS, provider="ses"),
    # Gus answers STOP to the second text, so that a third does not go out; the first bounced, and
    # of the second it is reported who carried it, in two parts.
    *went("acme/gus/alerts/1", SMS, 1, **DE),
    row("acme/gus/alerts/1", Stage.BOUNCED, SMS, 1, 900, provider="vonage", carrier="262-01"),
    *went("acme/gus/alerts/2", SMS, 8, **DE),
    row("acme/gus/alerts/2", Stage.DELIVERED, SMS, 8, 900, provider="vonage", carrier="262-02"),
    row("acme/gus/alerts/2", Stage.DELIVERED, SMS, 8, 950, provider="vonage", carrier="262-02"),
    gone("acme", "gus", "", SMS, "reply", 8.5),
    row("acme/gus/alerts/3", Stage.SUPPRESSED, SMS, 15, 1, reason=Reason.SUPPRESSED_ADDRESS),
    # Of another provider's text no carrier is told; of a number in another country it is.
    *went("acme/hal/alerts/1", SMS, 8, provider="twilio", **DE),
    row("acme/hal/alerts/1", Stage.DELIVERED, SMS, 8, 700, provider="twilio"),
    *went("acme/ida/alerts/1", SMS, 8, destination="GB mobile"),
    row("acme/ida/alerts/1", Stage.DELIVERED, SMS, 8, 800, provider="vonage", carrier="234-10"),
    # Ida's plan changes while a reminder waits; Hal clicks his link, and leaves by the page too.
    row("acme/ida/tips/1", Stage.HELD, PUSH, 0, 1, reason=Reason.QUIET_HOURS, **FREE),
    *went("acme/ida/tips/1", PUSH, **PRO),
    *went("acme/hal/tips/1", EMAIL, 14, **PRO),
    row("acme/hal/tips/1", Stage.UNSUBSCRIBED, EMAIL, 14, 900, provider="links"),
    gone("acme", "hal", "tips", EMAIL, "page", 14.1),
    # Two variants of a text, on two channels; a late open counts, and only once.
    *went("acme/kim/words/1", PUSH, 2, variant="w/a"),
    *went("acme/kim/words/1", EMAIL, 2, variant="w/a"),
    row("acme/kim/words/1", Stage.OPENED, PUSH, 2, 60_100),
    row("acme/kim/words/1", Stage.OPENED, EMAIL, 2, 12 * DAY_MS),
    *went("acme/kim/words/2", PUSH, 3, variant="w/a"),
    *went("acme/leo/words/1", PUSH, 2, variant="w/b"),
    row("acme/leo/words/1", Stage.CLICKED, PUSH, 2, 120_100),
    # Another tenant with the same ids, in which all of it is otherwise.
    grouped("globex/ann/tips/1", "held_out"), goal("globex", "ann", 1),
    row("globex/ann/tips/1", Stage.SUPPRESSED, None, 0, 1, reason=Reason.HOLDOUT, **FREE),
    grouped("globex/bob/tips/1", "told"), *went("globex/bob/tips/1", EMAIL, **PRO),
    row("globex/bob/tips/1", Stage.UNSUBSCRIBED, EMAIL, 0, 5000, provider="ses"),
    *went("globex/gus/alerts/2", SMS, 8, **DE),
    row("globex/gus/alerts/2", Stage.FAILED, SMS, 8, 900, provider="vonage", carrier="262-03"),
    # An hour ago, so that nothing can be said of a day later.
    grouped("globex/mia/tips/1", "told", NOW), *went("globex/mia/tips/1", PUSH, NOW, **PRO),
]  # fmt: skip
Figures = dict[tuple[Any, ...], tuple[Any, ...]]


def day_of(event: DeliveryEvent) -> date:
    return datetime.fromtimestamp(event.occurred_at / 1000, UTC).date()


def by(stages: Iterable[Stage], *names: str) -> dict[tuple[Any, ...], list[DeliveryEvent]]:
    """What happened of these stages to people, each once, by what these fields say."""
    found: dict[tuple[Any, ...], dict[str, DeliveryEvent]] = defaultdict(dict)
    for event in HAPPENED:
        if event.stage in stages and event.detail != "machine":
            key = tuple(getattr(event, name) for name in names)
            first = found[key].get(event.id, event)
            found[key][event.id] = min(first, event, key=lambda each: each.at)
    return {key: list(events.values()) for key, events in found.items()}


NOTIFICATION = ("tenant", "notification_id")
IN_CHANNEL = (*NOTIFICATION, "channel")


def groups() -> dict[tuple[str, str], tuple[str, int]]:
    """In which group each user came first, and when."""
    found = {}
    for key, events in by([Stage.ASSIGNED], "tenant", "user").items():
        first = min(events, key=lambda event: event.occurred_at)
        found[key] = (first.variant.split("/")[1], first.occurred_at)
    return found


def lift() -> Figures:
    """Of each tenant: told, and of them who reached the goal; held out, and of them."""
    goals = by([Stage.GOAL], "tenant", "user")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (tenant, user), (group, began) in groups().items():
        times = [event.occurred_at - began for event in goals.get((tenant, user), [])]
        counts[tenant][group] += 1
        counts[tenant][f"{group} reached"] += any(0 < each <= WITHIN * 1000 for each in times)
    found = {}
    for tenant, count in counts.items():
        told, held_out = count["told"], count["held_out"]
        lifted = count["told reached"] / told - count["held_out reached"] / held_out
        found[(tenant,)] = (
            told, count["told reached"], held_out, count["held_out reached"], round(lifted, 6)
        )  # fmt: skip
    return found


def retention() -> Figures:
    """Of each tenant and number of days: those who were there for so long, and who came back."""
    goals, now = by([Stage.GOAL], "tenant", "user"), datetime.now(UTC).timestamp() * 1000
    counts: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for (tenant, user), (group, began) in groups().items():
        times = [event.occurred_at for event in goals.get((tenant, user), [])]
        for days in (1, 7, 14, 30):
            if began + days * DAY_MS <= now:
                counts[tenant, days][group] += 1
                is_back = any(each >= began + days * DAY_MS for each in times)
                counts[tenant, days][f"{group} back"] += is_back
    return {
        key: (count["told"], count["told back"], count["held_out"], count["held_out back"])
        for key, count in counts.items()
    }


def variants() -> Figures:
    """Of each variant and user: notifications sent, opened, clicked."""
    sent = by([Stage.SENT], *NOTIFICATION)
    did = by([Stage.OPENED, Stage.CLICKED], *NOTIFICATION)
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for key, (event, *_) in sent.items():
        if event.variant:
            stages = {each.stage for each in did.get(key, [])}
            count = counts[event.variant.split("/")[1], event.user]
            count["sent"] += 1
            count["opened"] += bool(stages)
            count["clicked"] += Stage.CLICKED in stages
    return {key: (c["sent"], c["opened"], c["clicked"]) for key, c in counts.items()}


def opt_outs() -> Figures:
    """Of each tenant, type, channel and cohort: sent, unsubscribed, complained."""
    sent = by([Stage.SENT], *IN_CHANNEL)
    joined: dict[tuple[str, str], date] = {}
    for event, *_ in sent.values():
        whose = event.tenant, event.user
        joined[whose] = min(joined.get(whose, _TODAY), day_of(event))
    leaving = {key for key in by([Stage.UNSUBSCRIBED], *IN_CHANNEL) if key[1]}
    for event in HAPPENED:
        if event.stage is not Stage.UNSUBSCRIBED or event.notification_id:
            continue
        before = [
            (each.at, key) for key, (each, *_) in sent.items()
            if (each.tenant, each.user, each.channel) == (event.tenant, event.user, event.channel)
            and event.category in ("", each.category) and event.at >= each.at
        ]  # fmt: skip
        if before and event.at <= max(before)[0] + 7 * DAY_MS:
            leaving.add(max(before)[1])
    complaining = by([Stage.COMPLAINED], *IN_CHANNEL)
    counts: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for key, (event, *_) in sent.items():
        cohort = joined[event.tenant, event.user].replace(day=1)
        count = counts[event.tenant, event.type, event.channel, day_of(event), cohort]
        count["sent"] += 1
        count["unsubscribed"] += key in leaving
        count["complained"] += key in complaining
    return {key: (c["sent"], c["unsubscribed"], c["complained"]) for key, c in counts.items()}


def week_over_week() -> Figures:
    """Of each tenant, week, type and channel: messages sent in it and in the one before."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for (tenant, kind, channel), events in by([Stage.SENT], "tenant", "type", "channel").items():
        for event in events:
            monday = day_of(event) - timedelta(days=day_of(event).weekday())
            counts[tenant, kind, channel, monday] += 1
    week = timedelta(days=7)
    places = set(counts) | {(*key[:3], key[3] + week) for key in counts if key[3] + week <= _TODAY}
    return {key: (counts[key], counts[*key[:3], key[3] - week]) for key in places}


def sends_per_user() -> Figures:
    """Of each tenant, user and day: notifications sent, opened, left by, complained of."""
    done = {stage: by([stage], *NOTIFICATION) for stage in (Stage.UNSUBSCRIBED, Stage.COMPLAINED)}
    opened = by([Stage.OPENED, Stage.CLICKED], *NOTIFICATION)
    counts: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for key, (event, *_) in by([Stage.SENT], *NOTIFICATION).items():
        held = (True, key in opened, key in done[Stage.UNSUBSCRIBED], key in done[Stage.COMPLAINED])
        count = counts[event.tenant, event.user, day_of(event)]
        count[:] = [old + new for old, new in zip(count, held, strict=True)]
    return {key: tuple(count) for key, count in counts.items()}


def time_to_open() -> Figures:
    """Of each tenant, type, channel and day: how many were opened, and the longest wait in s."""
    opened = by([Stage.OPENED, Stage.CLICKED], *IN_CHANNEL)
    waits: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for key, (sent, *_) in by([Stage.SENT], *IN_CHANNEL).items():
        if key in opened:
            first = min(event.at for event in opened[key])
            place = sent.tenant, sent.type, sent.channel, day_of(sent)
            waits[place].append(round((first - sent.at) / 1000))
    return {key: (len(each), max(each)) for key, each in waits.items()}


def by_attribute() -> Figures:
    """Of each tenant, day and plan: decided, told, not told, sent, delivered, opened, clicked."""
    counts: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for events in by(Stage, *NOTIFICATION).values():
        stated = {event.attribute for event in events} - {""}
        if not stated:
            continue
        stages = {event.stage for event in events}
        # One who changed their plan meanwhile counts once, by the last of its letters.
        value = max(stated).removeprefix("plan=") or "(none)"
        count = counts[events[0].tenant, day_of(events[0]), value]
        count["decided"] += 1
        count["told"] += Stage.SENT in stages
        count["not_told"] += stages <= {Stage.SUPPRESSED, Stage.ASSIGNED}
        count["delivered"] += Stage.DELIVERED in stages
        count["opened"] += bool(stages & {Stage.OPENED, Stage.CLICKED})
        count["clicked"] += Stage.CLICKED in stages
    return {
        key: (*(c[name] for name in ("decided", "told", "not_told")), *(
            c[name] for name in ("told", "delivered", "opened", "clicked")))
        for key, c in counts.items()
    }  # fmt: skip


def by_carrier() -> Figures:
    """Of each tenant, country, carrier and provider: messages, sent, delivered, bounced, failed."""
    counts: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for events in by(Stage, "tenant", "delivery_id").values():
        stages = {event.stage for event in events}
        if events[0].channel is not SMS or not events[0].delivery_id:
            continue
        (sent,) = (event for event in events if event.stage is Stage.SENT)
        carrier = max(event.carrier for event in events) or "(unknown)"
        place = sent.tenant, sent.destination.split()[0], carrier, sent.provider
        counts[place]["messages"] += 1
        counts[place].update(stages)
    names = ("messages", Stage.SENT, Stage.DELIVERED, Stage.BOUNCED, Stage.FAILED)
    return {key: tuple(count[name] for name in names) for key, count in counts.items()}


QUESTIONS: dict[str, tuple[Figures, int, str]] = {
    name: (found, len(next(iter(found))), sql)
    for name, found, sql in (
        ("lift", lift(), "SELECT tenant, told, told_reached, held_out, held_out_reached, lift "
         "FROM holdout_lift"),
        ("retention", retention(), "SELECT tenant, after, told, told_back, held_out, held_out_back "
         "FROM retention"),
        ("variants", variants(), "SELECT variant, user, sum(sent), sum(opened), sum(clicked) "
         "FROM experiment_results GROUP BY variant, user"),
        ("opt_outs", opt_outs(), "SELECT tenant, type, channel, day, cohort, sent, unsubscribed, "
         "complained FROM opt_outs"),
        ("week_over_week", week_over_week(), "SELECT tenant, type, channel, week, sent, "
         "week_before FROM week_over_week"),
        ("sends_per_user", sends_per_user(), "SELECT tenant, user, day, notifications, opened, "
         "unsubscribed, complained FROM sends_per_user"),
        ("time_to_open", time_to_open(), "SELECT tenant, type, channel, day, opened, "
         "p50_p90_p99[3] FROM time_to_open"),
        ("by_attribute", by_attribute(), "SELECT tenant, day, value, decided, told, not_told, "
         "sent, delivered, opened, clicked FROM outcomes_by_attribute"),
        ("by_carrier", by_carrier(), "SELECT tenant, country, carrier, provider, sum(messages), "
         "sum(sent), sum(delivered), sum(bounced), sum(failed) FROM deliverability_by_carrier "
         "GROUP BY tenant, country, carrier, provider"),
    )
}  # fmt: skip
"""Figures by name: as they were counted, how many columns say of what, and the question."""
