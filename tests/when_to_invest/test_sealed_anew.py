"""A decision is sealed anew only as it was proposed and while nothing of it was sent; it counts once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ledger.live import LiveLedger
from policies.activity import turnover_24h_usd
from tests.fakes.memory_journal import MemoryJournal
from tests.when_to_invest.samples import NOW, Story, funded, order_intent
from when_to_invest import events as ev
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState, decisions
from when_to_invest.orders import OrderState
from when_to_invest.portfolio import fold

LATER = NOW + timedelta(hours=23)
STORY = Story(order_intent())
WORTH_USD = Decimal("3.5") * Decimal("2750.25")
SENT = sorted(set(OrderState) - {OrderState.NEW, OrderState.ABSENT})


def a_crumb_of_it() -> ev.EnvelopeSealed:
    """Return a seal over next to nothing under the decision's own id, as anybody could write it."""
    tiny = Story(order_intent(quantity=Decimal("0.001"))).sealed()
    return tiny.model_copy(update={"decision_id": STORY.decision_id})


@pytest.mark.parametrize("state", SENT)
@pytest.mark.parametrize("seal", [STORY.sealed(), a_crumb_of_it()])
def test_what_was_sent_is_not_sealed_anew(state: OrderState, seal: ev.EnvelopeSealed) -> None:
    told = [*STORY.until(state), seal]
    for folded in (decisions, fold):
        with pytest.raises(Fault, match="an order of it was sent") as caught:
            folded(told)
        assert caught.value.code is ErrorCode.ILLEGAL_TRANSITION


@pytest.mark.parametrize("state", [OrderState.ACKNOWLEDGED, OrderState.FILLED])
def test_a_forged_seal_makes_no_room_for_more(state: OrderState) -> None:
    journal = MemoryJournal()
    journal.append([funded(), *STORY.until(state)])
    ledger = LiveLedger(journal, kept=0)
    ledger.refresh()
    reserved, counted = dict(ledger.book.reservations), dict(ledger.book.recent.sealed)
    journal.append([a_crumb_of_it()])
    for _ in range(2):
        with pytest.raises(Fault, match="an order of it was sent"):
            ledger.refresh()
    assert (ledger.book.reservations, ledger.book.recent.sealed) == (reserved, counted)


def test_nothing_is_sealed_but_what_was_proposed() -> None:
    with pytest.raises(Fault, match="is not what was proposed") as caught:
        decisions([STORY.proposed(), STORY.judged(), a_crumb_of_it()])
    assert caught.value.code is ErrorCode.ILLEGAL_TRANSITION


def test_what_was_proven_absent_is_sealed_anew() -> None:
    told = [*STORY.until(OrderState.ABSENT), STORY.sealed()]
    assert decisions(told)[STORY.decision_id].state is DecisionState.SEALED


@pytest.mark.parametrize("before", [STORY.until_sealed(), STORY.until(OrderState.ABSENT)])
def test_what_is_sealed_anew_counts_once_from_its_newest_seal_on(before: list[ev.Event]) -> None:
    other = Story(order_intent(), n=2)
    again = STORY.sealed().model_copy(update={"at": LATER})
    book = fold([*before, *other.until_sealed(), again])
    assert [*book.recent.sealed] == [other.decision_id, STORY.decision_id]
    assert turnover_24h_usd(book, now=LATER, besides="") == 2 * WORTH_USD
    assert turnover_24h_usd(book, now=NOW + timedelta(hours=25), besides="") == WORTH_USD


def test_a_tally_that_knew_the_first_seal_drops_it() -> None:
    book = fold([*STORY.until_sealed(), *Story(order_intent(), n=2).until_sealed()])
    assert turnover_24h_usd(book, now=NOW, besides="") == 2 * WORTH_USD
    book.apply(STORY.sealed())
    assert turnover_24h_usd(book, now=NOW, besides="") == 2 * WORTH_USD
    assert turnover_24h_usd(book, now=NOW, besides=STORY.decision_id) == WORTH_USD
