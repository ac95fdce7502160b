"""What is counted as rows come and go is what counting all of them anew says, also for a twin."""

from __future__ import annotations

from copy import copy
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.activity import measure_activity, turnover_24h_usd
from policies.splitting import measure_parts
from tests.ledger.test_live import histories
from tests.strategies.situations import NOW, book, traded
from tests.when_to_invest.samples import order_intent
from when_to_invest.events import EVENT, Event
from when_to_invest.portfolio import AccountBook
from when_to_invest.tallies import Tallies
from when_to_invest.twin import twin_of

INTENT = order_intent()
OTHER = "d-" + "0" * 24


def counted(account: AccountBook, decision_id: str, now: datetime) -> tuple[Any, ...]:
    return (
        *(
            measure_activity(INTENT, book=account, decision_id=decision_id, now=now, is_sealed=is_sealed)
            for is_sealed in (True, False)
        ),
        turnover_24h_usd(account, now=now, besides=decision_id),
        *(
            measure_parts(INTENT, book=account, decision_id=decision_id, now=now, is_sealed=is_sealed)
            for is_sealed in (True, False)
        ),
    )


def anew(account: AccountBook, decision_id: str, now: datetime) -> tuple[Any, ...]:
    fresh = twin_of(account)
    fresh.recent = copy(fresh.recent)
    fresh.recent.tallies = Tallies()
    return counted(fresh, decision_id, now)


def _check(account: AccountBook, now: datetime) -> None:
    for decision_id in {OTHER, *(item.decision_id for item in [*account.proposals][-2:])}:
        assert counted(account, decision_id, now) == anew(account, decision_id, now)


@given(histories(), st.data())
def test_counting_along_is_counting_anew(happened: list[Event], data: st.DataObject) -> None:
    account = AccountBook()
    for event in happened:
        account.apply(event)
        if data.draw(st.booleans()):
            later = timedelta(hours=data.draw(st.sampled_from([0, 1, 23, 25])))
            _check(account, event.at + later)


@given(histories(), st.data())
def test_a_twin_that_saw_what_never_happened_leaves_no_trace(
    happened: list[Event], data: st.DataObject
) -> None:
    account = AccountBook()
    for number, event in enumerate(happened):
        if data.draw(st.integers(0, 3)) == 0:
            twin = twin_of(account)
            for imagined in happened[number : number + data.draw(st.integers(1, 4))]:
                twin.apply(imagined)
                _check(twin, imagined.at)
        # As it comes back from the journal: equal, and another object.
        account.apply(EVENT.validator.validate_json(event.canonical()))
        if data.draw(st.booleans()):
            _check(account, event.at)


def test_a_row_that_cannot_be_counted_is_not_half_counted() -> None:
    account = book(sealed_before=[traded(1_000)])
    assert turnover_24h_usd(account, now=NOW, besides=OTHER) == 1_000
    account.recent.sealed[OTHER] = traded(1, 1)._replace(filled_usd="five")  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(TypeError):
            turnover_24h_usd(account, now=NOW, besides=OTHER)
    del account.recent.sealed[OTHER]
    assert turnover_24h_usd(account, now=NOW, besides=OTHER) == 1_000
