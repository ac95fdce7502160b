"""A caller who calls too often waits; others do not notice."""

from __future__ import annotations

from tool_servers.rates import Rate, RateLimiter


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    time = Time()
    limiter = RateLimiter(Rate(per_minute=60, burst=3), now_s=time)
    assert [limiter.admits("a") for _ in range(4)] == [True, True, True, False]
    time.now += 1.0
    assert [limiter.admits("a") for _ in range(2)] == [True, False]


def test_callers_do_not_share_a_bucket() -> None:
    limiter = RateLimiter(Rate(per_minute=1, burst=1), now_s=Time())
    assert limiter.admits("a")
    assert not limiter.admits("a")
    assert limiter.admits("b")


def test_a_long_silence_earns_no_more_than_the_burst() -> None:
    time = Time()
    limiter = RateLimiter(Rate(per_minute=60, burst=2), now_s=time)
    time.now += 10_000
    assert [limiter.admits("a") for _ in range(3)] == [True, True, False]
