"""Abnormal execution is told, once, until it is over; bounds only get stricter."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from executor.quality.alarms import Alert, Kind, alarms
from executor.quality.figures import Missing
from executor.quality.measures import OrderMeasures
from executor.quality.passages import Basis, Stage
from home.alarms import WINDOW_S, AlarmSettings
from home.settings import Settings
from tests.executor.quality.walks import NOW, D, in_doubt, order, orders
from when_to_invest.orders import OrderState

BOUNDS = AlarmSettings()
SOON = NOW + timedelta(seconds=30)


def told(
    given_orders: list[OrderMeasures], *standing: Alert, bounds: AlarmSettings = BOUNDS, later_s: int = 30
) -> tuple[Alert, ...]:
    return alarms(given_orders, bounds, standing=standing, now=NOW + timedelta(seconds=later_s))


def rejected(count: int, *, of: int) -> list[OrderMeasures]:
    gone = {"state": OrderState.REJECTED, "filled_quantity": D(0), "notional_usd": D(0)}
    return [order(n, **(gone if n < count else {})) for n in range(of)]


def costly(bps: str | Decimal) -> list[OrderMeasures]:
    return [order(arrival_slippage_bps=D(bps))]


def test_ordinary_orders_raise_nothing() -> None:
    assert told(orders(20)) == ()


@pytest.mark.parametrize(
    ("abnormal", "kind", "scope", "measured"),
    [
        (costly("51"), Kind.SLIPPAGE, "instrument:SPX", 51),
        (rejected(2, of=5), Kind.REJECT_RATE, "venue:paper", D("0.4")),
        (orders(5, hops_s={Stage.ACKNOWLEDGED: D(6)}), Kind.LATENCY, "venue:paper", 6),
        ([in_doubt(61)], Kind.UNKNOWN_AGE, "venue:paper", 61),
    ],
)
def test_each_abnormal_thing_is_told_by_its_own_alarm(
    abnormal: list[OrderMeasures], kind: Kind, scope: str, measured: Decimal
) -> None:
    (alert,) = told(abnormal)
    assert (alert.kind, alert.scope, alert.measured, alert.since) == (kind, scope, measured, SOON)
    assert alert.measured > alert.bound
    assert alert.what_to_do


@pytest.mark.parametrize(
    "borderline",
    [
        costly("50"),
        rejected(1, of=5),
        orders(5, hops_s={Stage.ACKNOWLEDGED: D(5)}),
        [in_doubt(60)],
    ],
)
def test_at_the_bound_nothing_is_told(borderline: list[OrderMeasures]) -> None:
    assert told(borderline) == ()


def test_too_few_orders_say_nothing_of_rates() -> None:
    assert told(rejected(4, of=4)) == ()
    assert told(orders(4, hops_s={Stage.ACKNOWLEDGED: D(99)})) == ()


def test_an_alarm_ends_well_below_its_bound_and_not_before() -> None:
    (first,) = told(costly("51"))
    (same,) = told(costly("41"), first, later_s=60)
    assert (same.since, same.measured) == (first.since, 41)
    assert told(costly("40"), same, later_s=90) == ()
    assert told(costly("41"), later_s=90) == ()


@given(figures=st.lists(st.integers(41, 50), min_size=1, max_size=20))
def test_a_figure_that_wavers_is_told_once(figures: list[int]) -> None:
    standing = told(costly("51"))
    for seconds, figure in enumerate(figures):
        standing = told(costly(D(figure)), *standing, later_s=31 + seconds)
        assert [alert.since for alert in standing] == [SOON]


def test_too_few_orders_keep_an_alarm_and_silence_ends_it() -> None:
    (raised,) = told(rejected(3, of=5))
    assert told(rejected(0, of=3), raised, later_s=60) == (raised,)
    assert told(rejected(3, of=5), raised, later_s=WINDOW_S + 1) == ()


def test_doubt_has_no_window() -> None:
    (raised,) = told([in_doubt(WINDOW_S + 100)], later_s=WINDOW_S + 100)
    assert raised.kind is Kind.UNKNOWN_AGE
    assert told([order()], raised, later_s=WINDOW_S + 200) == ()


def test_the_oldest_doubt_counts() -> None:
    (raised,) = told([in_doubt(70, n=1), in_doubt(300, n=2), in_doubt(5, n=3)])
    assert raised.measured == 300


def test_an_old_close_raises_no_alarm_of_cost() -> None:
    overnight = order(arrival_slippage_bps=D(400), arrival_basis=Basis.LAST_CLOSE)
    unknown = order(1, arrival_slippage_bps=Missing("no quote"), arrival_basis=None)
    assert told([overnight, unknown]) == ()


def test_one_venues_trouble_is_not_anothers() -> None:
    fine = orders(10, venue="kraken")
    (alert,) = told([*rejected(5, of=5), *fine])
    assert alert.scope == "venue:paper"


def test_the_window_holds_its_first_and_its_last_moment() -> None:
    now_sent = [order(sent_at=SOON, arrival_slippage_bps=D(99))]
    assert len(told(now_sent)) == 1
    assert len(told(costly("99"), later_s=WINDOW_S)) == 1
    assert told(costly("99"), later_s=WINDOW_S + 1) == ()


def test_what_nobody_knows_is_no_answer() -> None:
    states = (OrderState.SEND_INTENDED, OrderState.UNKNOWN, OrderState.QUARANTINED)
    unknown = [in_doubt(1, n=10 + n, state=state) for n, state in enumerate(states)]
    assert told([*rejected(4, of=4), *unknown]) == ()


def test_nothing_of_the_future_counts() -> None:
    assert told([order(sent_at=NOW + timedelta(hours=1), arrival_slippage_bps=D(99))]) == ()


def test_stricter_bounds_tell_more() -> None:
    strict = AlarmSettings(max_slippage_bps=D(10), fewest_orders=1, max_reject_ratio=D(0))
    assert {alert.kind for alert in told([*costly("11"), *rejected(1, of=1)], bounds=strict)} == {
        Kind.SLIPPAGE,
        Kind.REJECT_RATE,
    }


@pytest.mark.parametrize(
    "looser",
    [
        {"max_slippage_bps": "50.1"},
        {"max_reject_ratio": "0.21"},
        {"max_acknowledgement_s": "5.5"},
        {"max_unknown_s": "61"},
        {"fewest_orders": 6},
        {"fewest_orders": 0},
        {"max_slippage_bps": "NaN"},
        {"max_slippage_bps": "-1"},
        {"window_s": 1},
    ],
)
def test_a_home_can_only_make_them_stricter(looser: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"alarms": looser})
    assert Settings.model_validate({"alarms": {"max_slippage_bps": "10"}}).alarms.max_slippage_bps == 10
