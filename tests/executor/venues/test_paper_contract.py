"""The contract of a venue, kept by the paper venue on made-up daily bars."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from executor.venues.paper import PaperVenue
from executor.venues.port import NewOrder
from home.clock import FixedClock
from home.settings import PaperSettings
from tests.executor.venues.contract import Scene, VenueContract, new_id
from tests.fakes.fake_market import AFTER_MONDAY, TUESDAY_OPEN, FakeMarket
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.values import Mode


class TestPaper(VenueContract):
    @pytest.fixture(autouse=True)
    def _own_books(self, tmp_path: Path) -> None:
        self.path = tmp_path / "book.sqlite"

    @asynccontextmanager
    async def staged(self) -> AsyncIterator[Scene]:
        self.clock = FixedClock(AFTER_MONDAY)
        venue = PaperVenue(
            self.path, mode=Mode.REPLAY, prices=FakeMarket(), clock=self.clock, settings=PaperSettings()
        )

        def order(number: int, **changes: Any) -> NewOrder:
            return NewOrder(
                **{
                    "client_order_id": new_id(number, venue.profile.client_id_shape),
                    "instrument": "SPX",
                    "side": Side.BUY,
                    "quantity": Decimal(10),
                    "limit_price_usd": Decimal("101.00"),
                    "time_in_force": TimeInForce.DAY,
                    "valid_until": AFTER_MONDAY + timedelta(days=30),
                    **changes,
                }
            )

        async def fill(*_: object) -> None:
            self.clock.move_to(TUESDAY_OPEN)

        try:
            yield Scene(
                venue=venue,
                instrument="SPX",
                base="SPX",
                quote="USD",
                order=order,
                fill=fill,
                mode=Mode.REPLAY,
                name="paper",
            )
        finally:
            await venue.close()

    async def let_ioc_end(self, scene: Scene) -> None:
        self.clock.move_to(TUESDAY_OPEN)
