"""The event engine: nothing is seen before it closes, nothing is filled at a price it was decided on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies.trials import trials, walk
from when_to_invest.backtest.engine import run_events
from when_to_invest.backtest.named import NAMED
from when_to_invest.backtest.rules.deployment import BuyAndHold
from when_to_invest.backtest.terms import Terms, monthly_arrivals
from when_to_invest.backtest.trial import Trial, make_trial
from when_to_invest.backtest.view import MarketView
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.market import BarSeries, Snapshot

FREE = Terms(fee_bps=0.0, no_trade_band=0.0)


class Recorder:
    """Holds half, and keeps what it was shown."""

    name = "recorder"

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.newest: list[float] = []
        self.hidden: list[int] = []

    def decide(self, view: MarketView) -> float | None:
        self.lengths.append(len(view))
        self.newest.append(float(view.close[-1]))
        base = view.close.base if view.close.base is not None else view.close
        whole = base.base if base.base is not None else base
        known = {float(price) for column in (view.open, view.high, view.low, view.close, view.volume)
                 for price in column}  # fmt: skip
        self.hidden.append(sum(float(x) not in known for x in whole.ravel() if np.isfinite(x)))
        return 0.5


class Constant:
    name = "constant"

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def decide(self, view: MarketView) -> float | None:
        return self.answer  # type: ignore[return-value]


def cut(trial: Trial, count: int) -> Trial:
    """Return the trial of the first `count` bars alone."""
    seen = trial.snapshot
    return replace(
        trial,
        snapshot=Snapshot(seen.instrument, seen.as_of, seen.bars.between(0, count)),
        fill=trial.fill[:count],
        squares=trial.squares[:count],
        growth=trial.growth[:count],
        arrivals=trial.arrivals[:count],
    )


def test_a_strategy_sees_each_bar_when_it_closes_and_not_before() -> None:
    trial = make_trial(walk(40, seed=1), first=10)
    recorder = Recorder()
    run_events(recorder, trial)
    assert recorder.lengths == list(range(10, 41))
    assert recorder.newest == trial.snapshot.bars.close[9:].tolist()


def test_not_even_the_memory_behind_the_view_holds_the_future() -> None:
    recorder = Recorder()
    run_events(recorder, make_trial(walk(40, seed=2)))
    assert recorder.hidden == [0] * 40


def test_what_is_seen_cannot_be_written_to() -> None:
    class Vandal:
        name = "vandal"

        def decide(self, view: MarketView) -> float | None:
            view.close[-1] = 1.0
            return None

    with pytest.raises(ValueError, match="read-only"):
        run_events(Vandal(), make_trial(walk(5, seed=1)))


@pytest.mark.parametrize("name", [name for name in NAMED if name != "decision"])
@pytest.mark.parametrize("seed", range(3))
def test_the_future_changes_nothing_of_the_past(name: str, seed: int) -> None:
    trial = make_trial(walk(700, seed=seed), first=50)
    whole = run_events(NAMED[name].make(), trial)
    for count in (52, 320, 555):
        part = run_events(NAMED[name].make(), cut(trial, count))
        assert np.array_equal(part.equity, whole.equity[: count - 50])
        assert part.trades == tuple(trade for trade in whole.trades if trade.bar < count)


def test_an_order_fills_at_the_next_open_with_slippage_and_fee() -> None:
    trial = make_trial(walk(10, seed=3), terms=Terms(fee_bps=10.0, slippage_bps=20.0))
    course = run_events(BuyAndHold(), trial)
    (trade,) = course.trades
    assert trade.bar == 1
    assert trade.price == pytest.approx(trial.snapshot.bars.open[1] * 1.002)
    assert trade.value + trade.fee == pytest.approx(1.0)
    assert trade.fee == pytest.approx(trade.value * 0.001)
    expected = trade.units * trial.snapshot.bars.close[-1]
    assert course.equity[-1] == pytest.approx(expected)


def test_where_only_closes_are_known_an_order_fills_at_the_next_close() -> None:
    trial = make_trial(walk(10, seed=3, has_range=False), terms=FREE)
    (trade,) = run_events(BuyAndHold(), trial).trades
    assert (trade.bar, trade.price) == (1, trial.snapshot.bars.close[1])


def test_with_history_the_first_order_fills_at_the_first_bar() -> None:
    trial = make_trial(walk(30, seed=3), first=20, terms=FREE)
    (trade,) = run_events(BuyAndHold(), trial).trades
    assert trade.bar == 20


def test_a_target_within_the_band_is_left_alone_but_an_exit_never_is() -> None:
    trial = make_trial(walk(30, seed=4), terms=Terms(no_trade_band=0.3))

    class Small:
        name = "small"

        def decide(self, view: MarketView) -> float | None:
            return {1: 0.2, 5: 0.5, 9: 0.6, 20: 0.0}.get(len(view))

    trades = run_events(Small(), trial).trades
    assert [trade.bar for trade in trades] == [5, 20]
    assert trades[-1].weight_after == 0.0


@given(trials(), st.floats(0.0, 1.0))
def test_equity_is_never_made_from_nothing(trial: Trial, weight: float) -> None:
    free = run_events(Constant(weight), replace(trial, terms=FREE))
    dear = run_events(Constant(weight), replace(trial, terms=replace(FREE, fee_bps=50.0)))
    assert (dear.equity <= free.equity + 1e-12).all()
    assert (free.exposure >= 0.0).all()
    assert (free.exposure <= 1.0 + 1e-12).all()


@given(trials())
def test_cash_alone_grows_by_its_interest(trial: Trial) -> None:
    course = run_events(Constant(None), trial)
    cash = 0.0
    for growth, arrival in zip(trial.growth[trial.first :], trial.arrivals[trial.first :], strict=True):
        cash = cash * growth + arrival
    assert course.equity[-1] == cash
    assert course.returns() == pytest.approx(
        np.where(course.equity > 0, course.growth - 1.0, 0.0)[:], abs=0.2
    )


def test_arriving_cash_is_no_gain() -> None:
    flat = np.full(300, 50.0)
    made = walk(300, seed=1)
    still = replace(made, bars=BarSeries(made.bars.opened_us, flat, flat, flat, flat, flat))
    course = run_events(BuyAndHold(), make_trial(still, terms=FREE, arrival_months=6))
    assert course.equity[0] == pytest.approx(1 / 6)
    assert course.equity[-1] == pytest.approx(1.0)
    assert course.returns() == pytest.approx(np.zeros(300), abs=1e-12)


@pytest.mark.parametrize("months", [1, 3, 12])
def test_a_budget_arrives_whole_in_equal_monthly_parts(months: int) -> None:
    arrivals = monthly_arrivals(walk(400, seed=1).bars.opened_us, months=months)
    assert arrivals.sum() == pytest.approx(1.0)
    assert (arrivals > 0).sum() == months
    assert arrivals[0] > 0


@pytest.mark.parametrize("answer", [1.01, -0.01, float("nan"), float("inf"), "much", object()])
def test_an_answer_that_is_no_weight_is_a_fault(answer: object) -> None:
    with pytest.raises(Fault) as caught:
        run_events(Constant(answer), make_trial(walk(10, seed=1)))
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


@pytest.mark.parametrize("price", [np.nan, 0.0, -1.0, np.inf])
def test_a_price_nobody_could_trade_at_is_refused(price: float) -> None:
    made = walk(30, seed=1)
    opened = made.bars.open.copy()
    opened[7] = price
    with pytest.raises(Fault) as caught:
        make_trial(replace(made, bars=replace(made.bars, open=opened)))
    assert caught.value.code is ErrorCode.CORRUPT_DATA


@pytest.mark.parametrize("first", [-1, 29, 30, 99])
def test_a_period_without_bars_is_refused(first: int) -> None:
    with pytest.raises(Fault) as caught:
        make_trial(walk(30, seed=1), first=first)
    assert caught.value.code is ErrorCode.HISTORY_TOO_SHORT


@pytest.mark.parametrize(
    "terms",
    [{"fee_bps": -1.0}, {"slippage_bps": 2e3}, {"no_trade_band": 1.5}, {"cash_rate_annual": float("nan")}],
)
def test_terms_out_of_range_are_refused(terms: dict[str, float]) -> None:
    with pytest.raises(Fault) as caught:
        Terms(**terms)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT
