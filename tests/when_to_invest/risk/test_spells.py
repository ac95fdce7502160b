"""Since when a breaker is on, against asking day by day."""

from __future__ import annotations

import pytest

from tests.fakes.fake_bars import daily_snapshot
from when_to_invest.features.daily import DailyBars, closed_instant, daily_bars
from when_to_invest.features.readings import PEAK_WINDOW, read_chart
from when_to_invest.features.risk_frame import risk_frame
from when_to_invest.instruments import Session
from when_to_invest.risk.market_breakers import BREAKERS, BreakerReading, read_breakers
from when_to_invest.risk.spells import dated


def _live(bars: DailyBars) -> dict[str, BreakerReading]:
    frame = risk_frame(bars)
    found = read_breakers(read_chart(bars, frame), bars.session)
    return {each.id: each for each in dated(found, bars, frame)}


@pytest.mark.parametrize("seed", [1, 5])
def test_a_spell_begins_on_the_first_of_the_days_on_which_it_was_on(seed: int) -> None:
    bars = daily_bars(daily_snapshot(900, seed=seed))
    on_before = dict.fromkeys((rule.id for rule in BREAKERS), False)
    began: dict[str, int] = {}
    seen = 0
    for count in range(PEAK_WINDOW + 1, 900, 1):
        known = bars.until(count)
        frame = risk_frame(known)
        for each in read_breakers(read_chart(known, frame), known.session):
            if each.is_on and not on_before[each.id]:
                began[each.id] = count - 1
            on_before[each.id] = each.is_on
        if count % 23 == 0:
            for name, each in _live(known).items():
                expected = closed_instant(known, began[name]) if each.is_on else None
                assert each.since == expected
                seen += each.is_on
    assert seen > 5


def test_a_spell_is_dated_by_the_close_that_began_it() -> None:
    bars = daily_bars(daily_snapshot(600))
    falling = bars.close.copy()
    falling[-40:] *= 0.5
    for column in (bars.open, bars.high, bars.low, bars.close):
        column[:] = falling
    found = _live(bars)["drawdown"]
    assert found.is_on
    assert found.since == closed_instant(bars, 560)
    assert bars.session is Session.EXCHANGE
    assert found.since.hour == 21
