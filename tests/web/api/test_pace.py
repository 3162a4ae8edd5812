"""The limit of a key, as its headers tell it; times worked out by hand."""

from web.api.pace import Pace


class Clock:
    at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_what_remains_is_never_more_than_the_limit_and_all_is_there_again_at_the_reset() -> None:
    clock = Clock()
    pace = Pace(clock)  # 30 a minute: one in 2 s, a burst of 5
    seen = [pace.take("key", 30).headers() for _ in range(6)]
    assert [each["RateLimit-Remaining"] for each in seen] == ["4", "3", "2", "1", "0", "0"]
    assert [each["RateLimit-Reset"] for each in seen] == ["2", "4", "6", "8", "10", "10"]
    assert {each["RateLimit-Limit"] for each in seen} == {"5"}
    assert {each["RateLimit-Policy"] for each in seen} == {"5;w=10"}
    assert [each.get("Retry-After") for each in seen] == [None] * 5 + ["10"]
    clock.at += 10
    assert [pace.take("key", 30).allowed for _ in range(6)] == [True] * 5 + [False]


def test_what_is_refused_costs_nothing_and_a_part_comes_back_early() -> None:
    clock = Clock()
    pace = Pace(clock)
    for _ in range(20):
        pace.take("key", 30)
    clock.at += 3.5  # one and three quarters
    assert [pace.take("key", 30).allowed for _ in range(2)] == [True, False]


def test_a_key_of_few_requests_has_one_at_least() -> None:
    clock = Clock()
    pace = Pace(clock)
    turn = pace.take("key", 1)
    assert turn.headers() == {
        "RateLimit-Policy": "1;w=60",
        "RateLimit-Limit": "1",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "60",
    }
    assert pace.take("other", 1).allowed
    assert not pace.take("key", 1).allowed
