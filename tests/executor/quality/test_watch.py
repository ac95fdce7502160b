"""What becomes abnormal is news once, and so is its end."""

from __future__ import annotations

from executor.quality.alarms import Kind, alarms
from executor.quality.measures import OrderMeasures
from executor.quality.watch import Watch, lately
from home.alarms import WINDOW_S, AlarmSettings
from tests.executor.quality.walks import Walk, after, filled_at, planned_walk
from when_to_invest.orders import OrderStep

BOUNDS = AlarmSettings()


def lost(n: int = 1) -> Walk:
    return Walk(n).received().sent(10, client_order_id=f"o-{n}").moved(20, OrderStep.LOST_SIGHT)


def test_an_alarm_is_news_when_it_begins_and_when_it_is_over() -> None:
    watch, walk = Watch(BOUNDS), lost()
    assert watch.look([walk.record], now=after(60)).begun == ()
    first = watch.look([walk.record], now=after(81))
    assert [alert.kind for alert in first.begun] == [Kind.UNKNOWN_AGE]
    again = watch.look([walk.record], now=after(90))
    assert (again.begun, again.over) == ((), ())
    assert again.standing[0].since == after(81)
    walk.moved(100, OrderStep.ACKNOWLEDGED)
    last = watch.look([walk.record], now=after(101))
    assert ([alert.kind for alert in last.over], last.standing) == ([Kind.UNKNOWN_AGE], ())


def test_doubt_is_watched_however_old_and_what_ended_long_ago_is_not() -> None:
    old, doubtful = filled_at("100", n=2), lost()
    much_later = after(WINDOW_S + 1_000)
    assert lately([old.record, doubtful.record], now=much_later) == [doubtful.record]
    assert lately([old.record], now=after(60)) == [old.record]


def test_what_is_left_out_changes_no_alarm() -> None:
    walks = [lost(1), filled_at("150", n=2), Walk(3).received().sent(1_500, client_order_id="o-3")]
    walks += [planned_walk(n=4).sent(20, client_order_id="o-4").moved(30, OrderStep.REJECTED, order="o-4")]
    for seconds in (40, 100, 600, 1_400, 1_600, 2_000):
        told = [walk.record for walk in walks]
        every: list[OrderMeasures] = [
            order for walk in walks for order in walk.measured(now=after(seconds)).orders
        ]
        whole = alarms(every, BOUNDS, standing=(), now=after(seconds))
        assert Watch(BOUNDS).look(told, now=after(seconds)).standing == whole
