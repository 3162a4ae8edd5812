"""Mails that share a call: whose fault a refusal is, and who goes all the same."""

from typing import Any

import pytest

from schemas.delivery import Delivery
from schemas.vocabulary import Channel, Reason
from sinks.email.postmark import Postmark
from sinks.email.sendgrid import SendGrid
from sinks.email.ses import Ses
from sinks.http.client import Reply
from sinks.provider import Outcome, PermanentFailure, Sent, TransientFailure
from sinks.registry import kind_of
from tests.sinks.replies.table import reply
from tests.sinks.requests.recorder import Recorder, Request, delivery, settings


class Choosy(Recorder):
    """A provider that takes a mail whole, unless it goes to somebody whose name begins so."""

    def __init__(self, refuses: dict[str, Reply], taken: Reply) -> None:
        super().__init__()
        self._refuses = refuses
        self._taken = taken

    async def post(self, url: str, body: bytes, headers: Any) -> Reply | TransientFailure:
        """Refuse, or number those who were taken by call."""
        self.requests.append(Request(url, body, headers))
        for who, refusal in self._refuses.items():
            if who.encode() in body:
                return refusal
        return self._taken


NOBODY = reply(400, {"message": "too odd", "errors": [{"message": "too odd"}]})


LATER = reply(429, {"message": "slow", "errors": [{"message": "slow"}]}, {"retry-after": "9"})


def people(*names: str) -> list[Delivery]:
    return [delivery(Channel.EMAIL, f"{name}@example.com", n) for n, name in enumerate(names)]


def kinds(outcomes: Any) -> str:
    """One letter an outcome: s for sent, r for refused, w for one that must wait."""
    letters: dict[type[Outcome], str] = {Sent: "s", PermanentFailure: "r", TransientFailure: "w"}
    return "".join(letters[type(outcome)] for outcome in outcomes)


@pytest.mark.parametrize("name", ["sendgrid", "mailgun"])
@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("odd",), "r"),
        (("odd", "a", "b"), "rss"),
        (("a", "odd", "b"), "srs"),
        (("a", "b", "odd"), "ssr"),
        (("odd1", "a", "odd2", "b", "odd3"), "rsrsr"),
        (("a", "b", "c", "d"), "ssss"),
        (("a", "late", "b"), "www"),
        (("odd", "a", "late", "b"), "rsww"),
    ],
)
async def test_halves_find_whose_fault_it_is(
    name: str, names: tuple[str, ...], expected: str
) -> None:
    """A call that must wait takes along those in it, and a refused one nobody but its own."""
    taken = reply(202, b"") if name == "sendgrid" else reply(200, {"message": "ok", "id": "<m>"})
    http = Choosy({"odd": NOBODY, "late": LATER}, taken)
    outcomes = await kind_of(name)(settings(), http).send(people(*names))
    assert kinds(outcomes) == expected
    assert {o.reason for o in outcomes if isinstance(o, PermanentFailure)} <= {Reason.REJECTED}
    waits = {(o.reason, o.after) for o in outcomes if isinstance(o, TransientFailure)}
    assert waits <= {(Reason.THROTTLED, 9.0)}


def blame(*places: str) -> Reply:
    problems = [{"message": "no", "field": f"personalizations.{place}"} for place in places]
    return reply(400, {"errors": problems})


TAKEN = reply(202, b"", {"x-message-id": "m"})


@pytest.mark.parametrize(
    ("replies", "expected", "calls"),
    [
        ([TAKEN], "ssss", [4]),
        ([blame("1.to"), TAKEN], "srss", [4, 3]),
        ([blame("0.to", "3.to"), TAKEN], "rssr", [4, 2]),
        # Places are those of the call, which holds fewer each time.
        ([blame("0.to"), blame("0.to"), TAKEN], "rrss", [4, 3, 2]),
        ([blame("3.to"), blame("2.to"), TAKEN], "ssrr", [4, 3, 2]),
        ([blame("2.to"), blame("2.to"), LATER], "wwrr", [4, 3, 2]),
        ([blame("0", "1", "2", "3")], "rrrr", [4]),
    ],
)
async def test_sendgrid_blames_those_it_names_and_the_others_go(
    replies: list[Reply], expected: str, calls: list[int]
) -> None:
    http = Recorder(*replies)
    said = people("a", "b", "c", "d")
    outcomes = await SendGrid(settings(), http).send(said)
    assert kinds(outcomes) == expected
    sizes = [len(request.json["personalizations"]) for request in http.requests]
    assert sizes == calls
    last = [each["to"][0]["email"] for each in http.requests[-1].json["personalizations"]]
    if not isinstance(outcomes[0], PermanentFailure) or "s" in expected or "w" in expected:
        assert last == [d.address for d, k in zip(said, expected, strict=True) if k != "r"]


async def test_postmarks_answers_are_each_its_own_mails() -> None:
    answers = [
        {"ErrorCode": 0, "Message": "OK", "MessageID": "first"},
        {"ErrorCode": 406, "Message": "inactive"},
        {"ErrorCode": 300, "Message": "Error parsing 'To'"},
        {"ErrorCode": 0, "Message": "OK", "MessageID": "last"},
    ]
    http = Recorder(reply(200, answers))
    said = people("a", "gone", "none", "d")
    assert list(await Postmark(settings(), http).send(said)) == [
        Sent("first"),
        PermanentFailure(Reason.UNREGISTERED, "406: inactive"),
        PermanentFailure(Reason.INVALID_ADDRESS, "300: Error parsing 'To'"),
        Sent("last"),
    ]
    assert [mail["To"] for mail in http.request.json] == [each.address for each in said]


async def test_ses_answers_each_call() -> None:
    bad = reply(400, {"message": "Illegal address"}, {"x-amzn-errortype": "BadRequestException"})
    http = Choosy({"odd": bad}, reply(200, {"MessageId": "m"}))
    outcomes = await Ses(settings(), http).send(people("odd", "a", "b"))
    assert outcomes == [
        PermanentFailure(Reason.INVALID_ADDRESS, "BadRequestException: Illegal address"),
        Sent("m"),
        Sent("m"),
    ]
