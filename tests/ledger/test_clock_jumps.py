"""A clock that jumps between appends: the record keeps its order, and nobody decides in the past."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ledger.live import CLOCK_TOLERANCE, LiveLedger
from ledger.sqlite_journal import open_journal
from ledger.verify import verify_journal
from tests.ledger.journals import drill, write
from tests.when_to_invest.samples import NOW
from when_to_invest.canonical import utc_text
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import TradingStateChanged

HOUR = timedelta(hours=1)
JUMPS = (timedelta(0), 30 * timedelta(days=365), -HOUR, -100 * timedelta(days=365), HOUR)
AHEAD = NOW + max(JUMPS)


def _at(number: int, at: datetime) -> TradingStateChanged:
    return TradingStateChanged.model_validate(drill(number).model_dump() | {"at": at})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    jumped = [[_at(number, NOW + jump)] for number, jump in enumerate(JUMPS)]
    return write(tmp_path / "journal.sqlite", *jumped)


def _refused(ledger: LiveLedger, now: datetime) -> Fault:
    with pytest.raises(Fault) as caught:
        ledger.demand_forward(now)
    return caught.value


def test_what_happened_on_a_clock_that_jumped_is_recorded_in_order_and_verifies(path: Path) -> None:
    assert verify_journal(path).ok
    with closing(open_journal(path)) as journal:
        told = [(recorded.sequence, recorded.event.at) for recorded in journal.read()]
    assert told == [(place, NOW + jump) for place, jump in enumerate(JUMPS, start=1)]


@pytest.mark.parametrize("opened", ["before the jumps", "after them"])
def test_nobody_decides_before_the_latest_instant_that_was_ever_told(path: Path, opened: str) -> None:
    with closing(open_journal(path)) as journal:
        ledger = LiveLedger(journal)
        if opened == "before the jumps":
            assert ledger.newest_at is None
            ledger.demand_forward(NOW)
        ledger.refresh()
        for now in (NOW, NOW + HOUR, AHEAD - CLOCK_TOLERANCE - timedelta(seconds=1)):
            fault = _refused(ledger, now)
            assert fault.code is ErrorCode.CLOCK_BACK
            assert utc_text(now) in fault.message
            assert utc_text(AHEAD) in fault.message
        ledger.demand_forward(AHEAD - CLOCK_TOLERANCE)
        ledger.demand_forward(AHEAD)


def test_a_halt_can_be_recorded_on_any_clock_and_holds(path: Path) -> None:
    with closing(open_journal(path)) as journal:
        journal.append([_at(9, NOW - HOUR)])
        ledger = LiveLedger(journal)
        ledger.refresh()
        assert ledger.book.trading_states["system"].value == "halted"
        assert ledger.newest_at == AHEAD
