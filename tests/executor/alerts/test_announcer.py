"""Each notice is told once by every channel, tried again with pauses, and never waited for."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.alerts.announcer import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    MOST_ATTEMPTS,
    MOST_KNOWN,
    MOST_WAITING,
    Announcer,
    Patience,
)
from executor.alerts.notice import Notice, Phase
from executor.telemetry.port import NoTelemetry
from when_to_invest.errors import ErrorCode, Fault

WAIT_S = 30.0


class Counted(NoTelemetry):
    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def count(self, name: str, by: int = 1, **dimensions: str) -> None:
        self.counts[name, dimensions.get("outcome", "")] += by


@dataclass
class FakeChannel:
    """Fails the first `fails` times, then takes everything."""

    fails: int = 0
    is_retryable: bool = True
    name: str = "fake"
    told: list[Notice] = field(default_factory=list)
    attempts: int = 0

    def deliver(self, notice: Notice) -> None:
        self.attempts += 1
        if self.attempts <= self.fails:
            code = ErrorCode.SERVICE_UNAVAILABLE if self.is_retryable else ErrorCode.BAD_CONFIG
            raise Fault(code, "no", fix="none")
        self.told.append(notice)


class Blocked(FakeChannel):
    def __init__(self) -> None:
        super().__init__()
        self.entered, self.may_go_on = threading.Event(), threading.Event()

    def deliver(self, notice: Notice) -> None:
        self.entered.set()
        self.may_go_on.wait(WAIT_S)


def notice(scope: str = "venue:paper", *, kind: str = "latency", phase: Phase = Phase.RAISED) -> Notice:
    return Notice(kind, scope, "slow", "look", "2018-06-04T21:05:00Z", phase)


@dataclass
class Desk:
    """An announcer whose time and pauses the test moves."""

    channels: tuple[FakeChannel, ...] = field(default_factory=lambda: (FakeChannel(),))
    now_s: float = 0.0
    paused_s: list[float] = field(default_factory=list)
    telemetry: Counted = field(default_factory=Counted)

    def __post_init__(self) -> None:
        self.announcer = Announcer(
            self.channels,
            quiet_s=900.0,
            telemetry=self.telemetry,
            monotonic_s=lambda: self.now_s,
            patience=Patience(jitter=lambda: 0.5, pause=lambda _, seconds: self.paused_s.append(seconds)),
        )


def test_what_goes_on_is_told_once_and_again_after_the_quiet_time_with_how_often_it_came() -> None:
    desk = Desk()
    told = []
    for minute in range(31):
        desk.now_s = minute * 60.0
        told.append(desk.announcer.tell(notice()))
    desk.announcer.close()
    assert [minute for minute, is_told in enumerate(told) if is_told] == [0, 15, 30]
    assert [each.repeated for each in desk.channels[0].told] == [0, 14, 14]


def test_another_scope_or_kind_is_another_notice() -> None:
    desk = Desk()
    assert desk.announcer.tell(notice())
    assert desk.announcer.tell(notice("venue:kraken"))
    assert desk.announcer.tell(notice(kind="reject_rate"))


def test_the_end_is_told_after_the_beginning_and_not_without_it() -> None:
    desk = Desk()
    assert not desk.announcer.tell(notice(phase=Phase.OVER))
    assert desk.announcer.tell(notice())
    assert desk.announcer.tell(notice(phase=Phase.OVER))
    assert not desk.announcer.tell(notice(phase=Phase.OVER))


def test_what_flickers_is_told_once_in_the_quiet_time() -> None:
    desk = Desk()
    told = [desk.announcer.tell(notice(phase=phase)) for _ in range(20) for phase in Phase]
    assert sum(told) == 2


def test_a_failed_delivery_is_tried_again_after_growing_pauses() -> None:
    channel = FakeChannel(fails=3)
    desk = Desk((channel,))
    assert attempts_of(channel, desk) == 4
    assert channel.told == [notice()]
    assert desk.paused_s == [0.375, 0.75, 1.5]


def test_an_end_tries_what_waits_once_more_and_lets_it_go() -> None:
    channel = FakeChannel(fails=100)
    desk = Desk((channel,))
    desk.announcer._lines[0]._is_over.set()
    desk.announcer.tell(notice())
    desk.announcer.close()
    assert channel.attempts == 1


def attempts_of(channel: FakeChannel, desk: Desk) -> int:
    line = desk.announcer._lines[0]
    line._is_delivered(notice())
    return channel.attempts


def test_every_attempt_counts_and_the_last_gives_up() -> None:
    channel = FakeChannel(fails=100)
    desk = Desk((channel,))
    assert attempts_of(channel, desk) == MOST_ATTEMPTS
    assert desk.telemetry.counts["alert_deliveries", "failed"] == MOST_ATTEMPTS
    assert desk.paused_s == [0.375, 0.75, 1.5, 3.0, 6.0, 12.0]


def test_what_no_repetition_can_heal_is_tried_once() -> None:
    channel = FakeChannel(fails=100, is_retryable=False)
    assert attempts_of(channel, Desk((channel,))) == 1


def test_a_channel_that_hangs_holds_up_neither_the_caller_nor_another_channel() -> None:
    blocked, other = Blocked(), FakeChannel(name="other")
    desk = Desk((blocked, other))
    desk.announcer.tell(notice("first"))
    assert blocked.entered.wait(WAIT_S)
    for number in range(MOST_WAITING + 50):
        desk.announcer.tell(notice(f"scope {number}"))
    assert desk.telemetry.counts["alert_deliveries", "no_room"] >= 50
    blocked.may_go_on.set()
    desk.announcer.close()
    assert other.told[0].scope == "first"


def test_only_so_many_notices_are_remembered() -> None:
    desk = Desk(())
    for number in range(MOST_KNOWN + 100):
        desk.announcer.tell(notice(f"scope {number}"))
    assert len(desk.announcer._known) == MOST_KNOWN


@given(attempt=st.integers(0, 50), jitter=st.floats(0, 1, exclude_max=True))
def test_a_pause_is_bounded_and_never_nothing(attempt: int, jitter: float) -> None:
    paused: list[float] = []
    patience = Patience(jitter=lambda: jitter, pause=lambda _, seconds: paused.append(seconds))
    patience.wait(attempt, threading.Event())
    assert FIRST_PAUSE_S / 2 <= paused[0] <= LONGEST_PAUSE_S


@given(st.text(), st.text())
def test_a_notice_has_one_key_however_often_it_is_asked_and_another_for_another_scope(
    first: str, second: str
) -> None:
    assert notice(first).idempotency_key == notice(first).idempotency_key
    if first != second:
        assert notice(first).idempotency_key != notice(second).idempotency_key


@pytest.mark.parametrize("secret", ["password=hunter2!", "trader@example.com", "Bearer abc.def"])
def test_nothing_secret_is_sent(secret: str) -> None:
    told = Notice("halted", secret, f"it said {secret}", "look", "").as_json()
    assert secret not in str(told)
