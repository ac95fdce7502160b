"""Where a decision lies, in memory or on the shelf, changes no answer and no outcome."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain import picked
from ledger.journal import Recorded
from ledger.live import LiveLedger
from ledger.shelf import Shelf
from tests.fakes.memory_journal import MemoryJournal
from tests.when_to_invest.samples import NOW, Story, chain_intent, funded, order_intent
from when_to_invest import events as ev
from when_to_invest import portfolio
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.history import DecisionState
from when_to_invest.intents import Side
from when_to_invest.orders import OrderState, OrderStep
from when_to_invest.recent import WINDOW

PROPOSERS = ("agent", "other")
TRADES = ("way-0", "way-3", "late")
FORGOTTEN = {"order_states", "orders_of", "seen_trades"}


def story(n: int, **changes: Any) -> Story:
    return Story(order_intent(request_id=f"r-{n}", **changes), n=n)


@dataclass(frozen=True)
class Borrower(Story):
    """A decision whose order claims the client order id, or the trade, of another's."""

    lender: int = 1

    @property
    def client_order_id(self) -> str:
        return f"o-{self.lender}"


def folded(journal: MemoryJournal, *, kept: int | None) -> LiveLedger:
    return LiveLedger(journal, is_warranted=lambda _event, _home_id: True, kept=kept)


def refreshed(ledger: LiveLedger) -> ErrorCode | None:
    try:
        ledger.refresh()
    except Fault as fault:
        return fault.code
    return None


def answers(ledger: LiveLedger, happened: Iterable[ev.Event]) -> dict[str, Any]:
    """Everything that gate, executor and status ask a ledger."""
    decisions, book = ledger.decisions, ledger.book
    trades = {e.trade for e in happened if isinstance(e, ev.OrderFilled)}
    told: dict[str, Any] = {
        item.name: getattr(book, item.name) for item in fields(book) if item.name not in FORGOTTEN
    }
    orders = {name: book.orders_of.get(name) for name in book.reservations}
    return told | {
        "records": list(decisions.items()),
        "count": len(decisions),
        "open": list(decisions.open()),
        "late": list(decisions.that_may_trade_late()),
        "trades": {trade: decisions.has_trade(*trade) for trade in trades | {("paper", "SPX", "none")}},
        "in_state": {state: list(decisions.in_state(state)) for state in DecisionState},
        "newest": [
            decisions.newest(state=state, proposers=proposers, limit=limit)
            for state in (None, *DecisionState)
            for proposers in (None, frozenset({"agent"}), frozenset(PROPOSERS), frozenset[str]())
            for limit in (1, 3, 100)
        ],
        "orders": orders,
        "unresolved": [book.unresolved_orders(name, besides="") for name in ("SPX", "IXIC")],
    }


REACHABLE = [state for state in OrderState if state is not OrderState.NEW]


@st.composite
def lives(draw: st.DrawFn) -> list[list[ev.Event]]:
    """Give each of a few decisions a life: refused, held, sent and ended in any way, or over a chain."""
    made: list[list[ev.Event]] = []
    for n in range(1, draw(st.integers(1, 6)) + 1):
        at = NOW + draw(st.sampled_from([0, 1])) * WINDOW
        told = story(n, side=draw(st.sampled_from(Side)), proposer=draw(st.sampled_from(PROPOSERS)))
        told = replace(told, at=at)
        match draw(st.sampled_from(["refused", "held", "chain", "rejected", "sent", "sent", "sent"])):
            case "refused":
                made.append([told.proposed(), told.judged(ev.Outcome.REFUSED)])
            case "held":
                made.append([told.proposed(), told.judged(ev.Outcome.HELD), told.approved()])
            case "chain":
                over = Story(chain_intent(), n=n, at=at)
                made.append([over.proposed(), over.judged(), over.sealed()])
            case "rejected":
                made.append([*told.until_sealed(), told.rejected()])
            case _:
                made.append(told.until(draw(st.sampled_from(REACHABLE))))
    return made


@st.composite
def afterthoughts(draw: st.DrawFn) -> ev.Event:
    """Draw what may still be told of an order, sensible or not, under its own decision or another."""
    n, lender = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    teller = Borrower(story(n).intent, n=n, lender=lender)
    step = draw(st.sampled_from([s for s in OrderStep if s is not OrderStep.SETTLED]))
    kinds = [teller.queued, teller.received, teller.rejected, teller.sealed, teller.declined, teller.proposed]
    told = [teller.step(step, trade=draw(st.sampled_from(TRADES))), *(kind() for kind in kinds)]
    event = draw(st.sampled_from(told))
    if isinstance(event, ev.OrderFilled) and draw(st.booleans()):
        event = event.model_copy(update={"trade_id": f"{lender}/{draw(st.sampled_from(TRADES))}"})
    return event


@pytest.mark.proof
@given(
    told=lives(),
    later=st.lists(afterthoughts(), max_size=6),
    kept=st.integers(0, 2),
    chance=st.randoms(use_true_random=False),
)
def test_a_fold_that_keeps_next_to_nothing_answers_like_one_that_keeps_everything(
    told: list[list[ev.Event]], later: list[ev.Event], kept: int, chance: Any
) -> None:
    journal, happened = MemoryJournal(), [funded()]
    while any(told):
        happened.append(chance.choice([life for life in told if life]).pop(0))
    happened.sort(key=lambda event: event.at)
    small, whole = folded(journal, kept=kept), folded(journal, kept=None)
    for event in [*happened, *later]:
        journal.append([event])
        outcome = refreshed(whole)
        assert refreshed(small) == outcome
        if outcome is not None:
            break
        assert answers(small, happened) == answers(whole, happened)
    for many in (1, 5, len(journal.recorded) + 1):
        restarted = folded(journal, kept=kept)
        restarted.many = many
        assert refreshed(restarted) == outcome
        assert answers(restarted, happened) == answers(whole, happened)


def ended(count: int, *, state: OrderState = OrderState.FILLED) -> MemoryJournal:
    journal = MemoryJournal()
    journal.append([funded("1000000000"), *(e for n in range(1, count + 1) for e in story(n).until(state))])
    return journal


def test_an_ended_decision_leaves_memory_and_is_found_by_its_id() -> None:
    ledger = folded(ended(40), kept=3)
    ledger.refresh()
    assert len(ledger.decisions) == 40
    assert ledger.decisions.in_memory <= 7
    first = story(1)
    assert ledger.decisions[first.decision_id].filled_quantity == first.intent.quantity  # type: ignore[union-attr]
    assert first.decision_id in ledger.decisions
    assert ledger.decisions.get("d-" + "0" * 24) is None


@pytest.mark.parametrize(
    ("state", "left"),
    [
        (OrderState.FILLED, 0),
        (OrderState.CANCELLED, 0),
        (OrderState.REJECTED, 0),
        (OrderState.ACKNOWLEDGED, 20),
    ],
)
def test_while_catching_up_a_decision_leaves_memory_with_its_last_event(state: OrderState, left: int) -> None:
    ledger = folded(ended(20, state=state), kept=64)
    ledger.many = 1
    refreshed(ledger)
    assert ledger.decisions.in_memory == left
    assert len(ledger.decisions) == 20
    assert len(list(ledger.decisions.items())) == 20


def test_after_catching_up_the_newest_decisions_stay_in_memory_as_ever() -> None:
    journal = ended(20)
    ledger = folded(journal, kept=64)
    ledger.many = 1
    ledger.refresh()
    later = story(21)
    for event in later.until(OrderState.FILLED):
        journal.append([event])
    ledger.many = 1_000
    ledger.refresh()
    assert ledger.decisions.in_memory == 1
    assert ledger.decisions[later.decision_id].state is DecisionState.FILLED


def test_what_is_laid_aside_later_is_found_beside_what_was_sought_before() -> None:
    journal = ended(20)
    ledger = folded(journal, kept=0)
    ledger.refresh()
    assert story(1).decision_id in ledger.decisions
    journal.append([event for n in range(21, 41) for event in story(n).until(OrderState.FILLED)])
    ledger.refresh()
    for n in range(1, 41):
        assert ledger.decisions[story(n).decision_id].decision_id == story(n).decision_id


def test_a_late_fill_reaches_an_order_that_was_laid_aside() -> None:
    journal = ended(20, state=OrderState.CANCELLED)
    ledger = folded(journal, kept=0)
    ledger.refresh()
    old = story(2)
    before = ledger.book.position("main", "SPX").quantity
    journal.append([old.filled(Decimal(1), trade="late", is_last=False)])
    ledger.refresh()
    assert ledger.decisions[old.decision_id].state is DecisionState.PARTLY_FILLED
    assert ledger.book.position("main", "SPX").quantity == before + 1


@pytest.mark.parametrize("n", [2, 3])
def test_a_trade_is_booked_once_though_its_order_was_laid_aside(n: int) -> None:
    journal = ended(20)
    ledger = folded(journal, kept=0)
    ledger.refresh()
    before = ledger.book.position("main", "SPX").quantity
    trade = ledger.decisions[story(2).decision_id].fills[-1].trade_id
    again = story(n).filled(is_last=True).model_copy(update={"trade_id": trade})
    assert ledger.decisions.has_trade("paper", "SPX", trade)
    journal.append([again])
    assert refreshed(ledger) is (None if n == 2 else ErrorCode.ILLEGAL_TRANSITION)
    assert ledger.book.position("main", "SPX").quantity == before


def test_a_decision_cannot_be_proposed_again_after_it_was_laid_aside() -> None:
    journal = ended(20)
    ledger = folded(journal, kept=0)
    ledger.refresh()
    journal.append([story(1).proposed()])
    assert refreshed(ledger) is ErrorCode.ILLEGAL_TRANSITION


def test_another_decision_cannot_send_under_the_client_order_id_of_one_laid_aside() -> None:
    journal = ended(20)
    ledger = folded(journal, kept=0)
    ledger.refresh()
    thief = Borrower(story(21).intent, n=21, lender=1)
    journal.append([*thief.until_sealed(), thief.sending()])
    assert refreshed(ledger) is ErrorCode.ILLEGAL_TRANSITION


def test_what_is_open_is_never_laid_aside() -> None:
    journal = MemoryJournal()
    states = [OrderState.ACKNOWLEDGED, OrderState.UNKNOWN, OrderState.ABSENT, OrderState.QUARANTINED]
    open_ones = [story(n) for n, _ in enumerate(states, start=1)]
    happened = [event for told, state in zip(open_ones, states, strict=True) for event in told.until(state)]
    journal.append([funded(), *happened, *story(9).until_sealed()])
    journal.append([event for n in range(10, 40) for event in story(n).until(OrderState.FILLED)])
    ledger = folded(journal, kept=0)
    ledger.refresh()
    expected = {told.decision_id for told in [*open_ones, story(9)]}
    assert {record.decision_id for record in ledger.decisions.open()} == expected
    assert ledger.book.reservations.keys() == expected


@pytest.mark.parametrize("damage", ["another", "missing"])
def test_an_event_that_changed_under_the_shelf_is_never_believed(damage: str) -> None:
    journal = ended(20)
    ledger = folded(journal, kept=0)
    ledger.refresh()
    place = next(r.sequence for r in journal.recorded if isinstance(r.event, ev.OrderFilled))
    old = journal.recorded[place - 1]
    forged = old.event.model_copy(update={"quantity": Decimal(1)})
    if damage == "another":
        journal.recorded[place - 1] = Recorded(place, old.previous_hash, "ef" * 32, forged)
    else:
        journal.pick = lambda sequences: picked(sequences, ())  # type: ignore[method-assign]
    with pytest.raises(Fault) as caught:
        ledger.decisions[story(1).decision_id]
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


def test_ids_that_share_a_key_by_chance_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.shelf.hash", lambda _: 7, raising=False)
    ledger = folded(ended(20), kept=0)
    ledger.refresh()
    for n in range(1, 20):
        assert ledger.decisions[story(n).decision_id].decision_id == story(n).decision_id
        assert ledger.decisions.has_trade(
            "paper", "SPX", ledger.decisions[story(n).decision_id].fills[0].trade_id
        )
    assert not ledger.decisions.has_trade("paper", "SPX", "none")
    assert story(99).decision_id not in ledger.decisions


def test_nothing_stays_in_the_directory_where_decisions_are_laid_aside(tmp_path: Path) -> None:
    ledger = LiveLedger(ended(20), kept=0, shelf_in=tmp_path)
    ledger.refresh()
    assert ledger.decisions.in_memory < 5
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_takes_no_file_is_done_without(tmp_path: Path) -> None:
    ledger = LiveLedger(ended(20), kept=0, shelf_in=tmp_path / "absent")
    ledger.refresh()
    assert len(ledger.decisions) == 20


def test_a_shelf_that_cannot_be_written_stops_the_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.shelf._SCHEMA", ("CREATE TABLE elsewhere (number)",))
    assert refreshed(folded(ended(20), kept=0)) is ErrorCode.STORAGE_FAILED


def test_a_closed_shelf_is_empty(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.close()
    shelf.close()
    assert shelf.of_decision("d-" + "0" * 24) is None


def kept_objects(ledger: LiveLedger) -> dict[str, int]:
    """Count what a ledger holds, structure by structure."""
    book = ledger.book
    sizes: Sequence[tuple[str, Any]] = [
        ("decisions", ledger.decisions.in_memory),
        ("events", sum(len(item.events) for item in ledger.decisions.open())),
        *((item.name, getattr(book, item.name)) for item in fields(book)),
        ("sealed", book.recent.sealed),
    ]
    return {
        name: held if isinstance(held, int) else len(held)
        for name, held in sizes
        if hasattr(held, "__len__") or isinstance(held, int)
    }


def test_what_is_kept_does_not_grow_with_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portfolio, "_STRAY_REFUSALS", 0)
    journal = MemoryJournal()
    ledger = folded(journal, kept=10)
    journal.append([funded("1000000000")])
    sizes: list[dict[str, int]] = []
    outcomes = [OrderState.FILLED, OrderState.CANCELLED, OrderState.SEND_INTENDED]
    for day in range(1, 31):
        for n in range(20):
            told = replace(story(100 * day + n, side=Side.BUY if n % 2 else Side.SELL), at=NOW + day * WINDOW)
            match n:
                case 0:
                    journal.append([told.proposed(), told.judged(ev.Outcome.REFUSED)])
                case 1:
                    journal.append([told.proposed(), told.judged(ev.Outcome.HELD)])
                case 2:
                    over = Story(chain_intent(), n=100 * day + n, at=told.at)
                    journal.append([over.proposed(), over.judged(ev.Outcome.REFUSED)])
                case _:
                    journal.append(told.until(outcomes[n % 2]))
        ledger.refresh()
        sizes.append(kept_objects(ledger))
    assert len(ledger.decisions) == 600
    largest = {name: max(at[name] for at in sizes[:5]) for name in sizes[0]}
    assert {name: size for name, size in sizes[-1].items() if size > 2 * largest[name]} == {}
