"""Another future leaves the past alone, and changes everything after it."""

from __future__ import annotations

import numpy as np
import pytest

from when_to_invest.honesty.canaries.practice import practice_series
from when_to_invest.honesty.cuts import chosen_cuts
from when_to_invest.honesty.other_futures import FUTURES, another_history, truncated, with_other_future
from when_to_invest.honesty.subjects import KnownAt

SERIES = practice_series()
COLUMNS = ("opened_us", "open", "high", "low", "close", "volume")


@pytest.mark.parametrize("future", FUTURES)
@pytest.mark.parametrize("known_at", KnownAt)
def test_the_past_stays_and_the_future_does_not(future: str, known_at: KnownAt) -> None:
    other = with_other_future(SERIES, 200, known_at, future=future, chance=np.random.default_rng(0))
    changed = ("opened_us",) if future == "postponed" else ("open", "high", "low", "close")
    for name in COLUMNS:
        one, two = getattr(SERIES, name), getattr(other, name)
        assert np.array_equal(one[:200], two[:200], equal_nan=True)
        assert (one[201:] != two[201:]).all() or name not in changed
    assert other.open[200] == SERIES.open[200]
    assert other.opened_us[200] == SERIES.opened_us[200]
    assert (other.close[200] == SERIES.close[200]) or known_at is KnownAt.OPEN
    assert (np.diff(other.opened_us) > 0).all()


def test_figures_published_after_the_cut_come_otherwise() -> None:
    chance = np.random.default_rng(0)
    other = with_other_future(SERIES, 200, KnownAt.CLOSE, future="wandering", chance=chance)
    known = SERIES.published_us < SERIES.opened_us[201]
    assert np.array_equal(other.value[known], SERIES.value[known])
    assert (other.value[~known] != SERIES.value[~known]).all()
    assert known.any()
    assert (~known).any()


def test_truncation_keeps_only_the_opening_price_of_a_bar_that_has_just_opened() -> None:
    closed = truncated(SERIES, 50, KnownAt.CLOSE)
    opened = truncated(SERIES, 50, KnownAt.OPEN)
    assert len(closed) == len(opened) == 51
    assert closed.close[-1] == SERIES.close[50]
    assert opened.high[-1] == opened.low[-1] == opened.close[-1] == opened.open[-1] == SERIES.open[50]


def test_another_history_has_the_same_bars_in_another_order() -> None:
    other = another_history(SERIES, np.random.default_rng(0))
    assert np.array_equal(other.opened_us, SERIES.opened_us)
    assert other.close[-1] == pytest.approx(SERIES.close[-1])
    assert (other.high >= np.maximum(other.open, other.close) * (1 - 1e-12)).all()
    assert abs(np.corrcoef(np.diff(np.log(other.close)), np.diff(np.log(SERIES.close)))[0, 1]) < 0.2


def test_half_of_the_cuts_fall_where_leaks_hide() -> None:
    cuts = chosen_cuts(SERIES, 40, 0)
    assert len(set(cuts)) == 40
    assert list(cuts) == sorted(cuts)
    assert min(cuts) >= 28
    assert max(cuts) < len(SERIES) - 1
    assert sum(bool(np.isnan(SERIES.volume[cut])) for cut in cuts) >= 10


def test_more_cuts_than_bars_are_all_bars_that_can_be_cut() -> None:
    assert chosen_cuts(SERIES, 10_000, 0) == tuple(range(28, len(SERIES) - 1))
