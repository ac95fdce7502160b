"""Every way a submit can end is classified; what nobody listed is ambiguous."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from executor.venues.port import (
    Accepted,
    Declined,
    NewOrder,
    Sending,
    Unknown,
    Unsent,
    VenueOrder,
    VenueStatus,
    send,
)
from tests.executor.by_hand import run
from tests.fakes.fake_market import AFTER_MONDAY
from tests.fakes.fake_venue import FakeVenue, Mishap
from when_to_invest.intents import Side, TimeInForce

ORDER = NewOrder(
    client_order_id="w1",
    instrument="SPX",
    side=Side.BUY,
    quantity=Decimal(10),
    limit_price_usd=Decimal(101),
    time_in_force=TimeInForce.DAY,
    valid_until=AFTER_MONDAY + timedelta(seconds=30),
)


@pytest.mark.parametrize(
    ("mishap", "kind"),
    [
        (None, Accepted),
        (Mishap.DECLINED, Declined),
        (Mishap.UNSENT, Unsent),
        (Mishap.LOST_BEFORE, Unknown),
        (Mishap.LOST_AFTER, Unknown),
        (Mishap.FOREIGN_AFTER, Unknown),
    ],
)
def test_each_mishap_has_its_class(mishap: Mishap | None, kind: type[Sending]) -> None:
    venue = FakeVenue()
    if mishap is not None:
        venue.plan.append(mishap)
    assert isinstance(run(send(venue, ORDER)), kind)


def test_an_answer_about_another_order_is_ambiguous() -> None:
    class Confused(FakeVenue):
        async def submit(self, order: NewOrder) -> VenueOrder:
            await super().submit(order)
            return VenueOrder("w2", "F9", VenueStatus.WORKING, Decimal(0))

    assert isinstance(run(send(Confused(), ORDER)), Unknown)


def test_an_interrupt_is_not_swallowed() -> None:
    class Interrupted(FakeVenue):
        async def submit(self, order: NewOrder) -> VenueOrder:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(send(Interrupted(), ORDER))
