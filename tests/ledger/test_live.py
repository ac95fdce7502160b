"""Live state is the fold of the journal, wherever it was refreshed on the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.live import LiveLedger
from tests.fakes.memory_journal import MemoryJournal
from tests.ledger.journals import drill
from tests.when_to_invest.samples import Story, funded, one_of_each, order_intent
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import Event, IntentProposed, OrderSettled, TradingStateChanged
from when_to_invest.history import decisions
from when_to_invest.intents import Side
from when_to_invest.orders import OrderState, OrderStep
from when_to_invest.portfolio import fold

REACHABLE = [state for state in OrderState if state is not OrderState.NEW]


def _halt() -> list[Event]:
    """Halt the system: an order is settled by hand only where trading does not go on freely."""
    return [event for event in one_of_each() if isinstance(event, TradingStateChanged)]


def _on_what_it_meets(life: list[Event]) -> list[Event]:
    """Let a settlement name how many events its decision had."""
    *before, last = life
    if isinstance(last, OrderSettled):
        last = last.model_copy(update={"motion": last.motion.model_copy(update={"serial": len(before)})})
    return [*before, last]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Interleave the lives of a few decisions in any way that keeps each one's own order."""
    count = draw(st.integers(1, 4))
    lives: list[list[Event]] = []
    for n in range(1, count + 1):
        side = draw(st.sampled_from(Side))
        intent = order_intent(
            side=side, request_id=f"r-{n}", instrument=draw(st.sampled_from(["SPX", "IXIC"]))
        )
        lives.append(_on_what_it_meets(Story(intent, n=n).until(draw(st.sampled_from(REACHABLE)))))
    happened: list[Event] = [funded(), *_halt()]
    while any(lives):
        chosen = draw(st.sampled_from([life for life in lives if life]))
        happened.append(chosen.pop(0))
    return happened


def _cut(happened: Sequence[Event], places: Iterable[int]) -> list[Sequence[Event]]:
    ends = [*sorted({place % (len(happened) + 1) for place in places}), len(happened)]
    return [happened[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@pytest.mark.proof
@given(happened=histories(), places=st.lists(st.integers(0, 1_000), max_size=6))
def test_live_state_is_the_fold_of_the_journal_at_every_refresh(
    happened: list[Event], places: list[int]
) -> None:
    journal = MemoryJournal()
    live = LiveLedger(journal, is_warranted=lambda _event, _home_id: True)
    for part in _cut(happened, places):
        journal.append(part)
        assert live.refresh() == journal.head()
        so_far = [recorded.event for recorded in journal.read()]
        assert live.book == fold(so_far)
        assert live.decisions == decisions(so_far)
    assert live.head.sequence == len(happened)


def test_a_refresh_reads_only_what_is_new() -> None:
    journal = MemoryJournal()
    asked: list[int] = []
    read = journal.read
    journal.read = lambda *, after=0: asked.append(after) or read(after=after)  # type: ignore[method-assign]
    live = LiveLedger(journal)
    journal.append(one_of_each()[:3])
    live.refresh()
    live.refresh()
    assert asked == [0, 3]


def test_a_journal_that_was_rewritten_ends_the_live_state() -> None:
    journal = MemoryJournal()
    live = LiveLedger(journal)
    journal.append([drill(1)])
    live.refresh()
    journal.recorded.clear()
    journal.append([drill(2), drill(3)])
    for _ in range(2):
        with pytest.raises(Fault) as caught:
            live.refresh()
        assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


def test_an_event_that_cannot_have_happened_ends_the_live_state() -> None:
    journal = MemoryJournal()
    live = LiveLedger(journal)
    story = Story(order_intent(quantity=Decimal(2)))
    journal.append([*story.until_sealed(), story.moved(OrderStep.ACKNOWLEDGED), drill(1)])
    for _ in range(2):
        with pytest.raises(Fault) as caught:
            live.refresh()
        assert caught.value.code is ErrorCode.ILLEGAL_TRANSITION
    assert live.head.sequence == len(story.until_sealed())


_OF_STRANGERS = [
    event
    for event in one_of_each()
    if hasattr(event, "decision_id") and not isinstance(event, IntentProposed)
]


@pytest.mark.parametrize("event", _OF_STRANGERS, ids=lambda event: event.kind)
def test_what_is_told_of_a_decision_that_nobody_proposed_changes_nothing(event: Event) -> None:
    journal = MemoryJournal()
    live = LiveLedger(journal, is_warranted=lambda _event, _home_id: True)
    journal.append([funded(), event, drill(1)])
    live.refresh()
    assert live.book == fold([funded(), drill(1)])
    assert not live.decisions
    assert [(item.sequence, item.kind) for item in live.passed_over] == [(2, event.kind)]


def test_an_account_is_funded_once_and_more_money_changes_nothing() -> None:
    journal = MemoryJournal()
    live = LiveLedger(journal)
    told = [funded("50000"), funded("1000000"), funded("7", account="other"), drill(1)]
    journal.append(told)
    live.refresh()
    assert live.book == fold([told[0], *told[2:]])
    assert live.book.cash_usd == {"main": Decimal(50_000), "other": Decimal(7)}
    assert live.book.wealth.accounts["main"].peak_usd == Decimal(50_000)
    assert [(item.sequence, item.why) for item in live.passed_over] == [(2, "that account was funded before")]
