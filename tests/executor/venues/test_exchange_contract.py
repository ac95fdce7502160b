"""The contract of a venue, kept by the adapter on each dialect of the local exchange, over HTTP."""

from __future__ import annotations

from tests.executor.venues.exchange_contract import ExchangeContract


class TestBinance(ExchangeContract):
    dialect, quote = "binance", "USDT"
    PLACE, CANCEL, OPEN = "POST */order", "DELETE */order", "GET */openOrders"


class TestKraken(ExchangeContract):
    dialect, quote = "kraken", "USD"
    PLACE, CANCEL, OPEN = "POST */AddOrder", "POST */CancelOrder", "POST */OpenOrders"


class TestCoinbase(ExchangeContract):
    dialect, quote = "coinbase", "USD"
    PLACE, CANCEL, OPEN = "POST */orders", "POST */batch_cancel", "GET */batch"
