"""The contract of a venue, kept by the adapter on each dialect of the local exchange, over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from executor.venues.ccxt.dialects import Dialect
from tests.executor.venues.exchange_contract import ExchangeContract, ExchangeScene
from when_to_invest.errors import ErrorCode, Fault


class TestBinance(ExchangeContract):
    dialect, quote = "binance", "USDT"
    PLACE, CANCEL, OPEN = "POST */order", "DELETE */order", "GET */openOrders"


class TestAnExchangeWithoutWordsOfItsOwn(ExchangeContract):
    """The generic, careful way, on an exchange that ccxt serves by its common words."""

    dialect, quote = "binance", "USDT"
    PLACE, CANCEL, OPEN = "POST */order", "DELETE */order", "GET */openOrders"

    def words(self) -> Dialect:
        return Dialect()

    def test_every_page_of_trades_is_read_and_each_trade_told_once(self) -> None:
        """It cannot turn pages, so it says that it does not know."""

        async def test(scene: ExchangeScene) -> None:
            order, _ = await scene.placed(quantity=Decimal(6))
            scene.venue._desk.dialect.page = 3
            for filled in range(1, 4):
                await scene.fill(order.client_order_id, Decimal("0.1"))
                if filled < 3:
                    assert len(await scene.venue.trades(scene.ref(order))) == filled
            with pytest.raises(Fault) as raised:
                await scene.venue.trades(scene.ref(order))
            assert raised.value.code is ErrorCode.VENUE_UNAVAILABLE

        self.play(test)

    @pytest.mark.parametrize(
        ("has", "lists"),
        [
            ({"fetchOrders": True, "fetchOpenOrders": True}, 1),
            ({"fetchOpenOrders": True, "fetchCanceledAndClosedOrders": True}, 2),
            ({"fetchOpenOrders": True, "fetchClosedOrders": True, "fetchCanceledOrders": "emulated"}, 3),
            ({"fetchOpenOrders": True, "fetchClosedOrders": True}, 0),
            ({"fetchOrders": False}, 0),
        ],
    )
    def test_lists_that_leave_orders_out_prove_no_absence(self, has: dict[str, Any], lists: int) -> None:
        async def test(scene: ExchangeScene) -> None:
            scene.venue._desk.dialect.learn(has)
            assert len(scene.venue._desk.dialect.lists) == lists
            if not lists:
                with pytest.raises(Fault) as raised:
                    await scene.venue.find(scene.ref(scene.order(1)))
                assert raised.value.code is ErrorCode.VENUE_UNAVAILABLE

        self.play(test)


class TestKraken(ExchangeContract):
    dialect, quote = "kraken", "USD"
    PLACE, CANCEL, OPEN = "POST */AddOrder", "POST */CancelOrder", "POST */OpenOrders"


class TestCoinbase(ExchangeContract):
    dialect, quote = "coinbase", "USD"
    PLACE, CANCEL, OPEN = "POST */orders", "POST */batch_cancel", "GET */batch"
