"""A falling market, the real processes, and a home that sells everything when its loss breaker trips."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.demo.onlooker import wait_for
from cli.demo.stage import EMBEDDED_QUEUE, Stage
from ledger.live import LiveLedger
from ledger.sqlite_journal import open_journal
from ledger.verify import verify_journal
from when_to_invest.breakers import TradingState
from when_to_invest.history import DecisionRecord, DecisionState
from when_to_invest.intents import Side

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

THURSDAY, FRIDAY, MONDAY = (datetime(2018, 2, day, 22, tzinfo=UTC) for day in (1, 2, 5))
"""The S&P 500 fell by 2.1 % on that Friday and by 4.1 % on that Monday."""
SETTINGS = f'{EMBEDDED_QUEUE}\n\n[risk]\non_loss = "flatten"\n\n[limits]\nmax_daily_loss_bps = "5"\n'


def fold(stage: Stage) -> LiveLedger:
    journal = open_journal(stage.home.journal, is_read_only=True)
    try:
        ledger = LiveLedger(journal)
        ledger.refresh()
    finally:
        journal.close()
    return ledger


def sales(stage: Stage) -> list[DecisionRecord]:
    return [record for record in fold(stage).decisions.values() if record.caller == "risk"]


def wait_for_sale(stage: Stage, state: DecisionState) -> None:
    """Wait until there is one sale, and it is in that state."""
    wait_for(lambda: [sale.state for sale in sales(stage)] == [state] or None, what=f"a sale {state.value}")


def test_a_fall_trips_the_breaker_and_everything_is_sold_once(tmp_path: Path) -> None:
    with Stage(tmp_path / "home", start_at=THURSDAY, ack_delay_s=0.0, queue=SETTINGS) as stage:
        answer = stage.ask("Go ahead: propose an order for SPX with 9000 USD in all.")
        (bought,) = answer["decisions"]
        stage.wait_for_state(bought, DecisionState.WORKING)
        stage.clock.move_to(FRIDAY)
        stage.wait_for_state(bought, DecisionState.FILLED)
        wait_for_sale(stage, DecisionState.WORKING)
        states = fold(stage).book.trading_states
        stage.clock.move_to(MONDAY)
        wait_for_sale(stage, DecisionState.FILLED)
        refused = stage.ask("Go ahead: propose an order for SPX with 9000 USD in all.")
        book, (sale,) = fold(stage).book, sales(stage)
    assert states == {"account:main": TradingState.REDUCING}
    assert sale.intent.proposer == "risk"
    assert sale.fills[0].side is Side.SELL
    assert book.position("main", "SPX").quantity == 0
    assert not any(record.is_open for record in fold(stage).decisions.values()), refused["text"]
    assert verify_journal(stage.home.journal).ok
