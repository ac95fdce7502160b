"""A recorded market comes to life in the book, and clients trade in it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import count, islice

from tests.exchange.matching import Exchange
from tests.exchange.recorded import data_file
from tests.exchange.replay import Recorded, Replay, recorded_messages
from tests.exchange.terms import Ask, Side, State, Trade
from tests.exchange.venues import BTC, TRADER, stocked

PAIR = "BTC/USDT"
MESSAGES = 1_500


def market() -> Exchange:
    return stocked(BTC, now_ms=count(1).__next__)


def recording() -> list[Recorded]:
    path = data_file("l2_raw", "binance_spot_btcusdt_20240808.ws.gz")
    relevant = (r for r in recorded_messages(path) if r.message.get("e") or "lastUpdateId" in r.message)
    return list(islice(relevant, MESSAGES))


def played(messages: Iterable[Recorded], *, seed: int = 0) -> Exchange:
    exchange = market()
    Replay(exchange, PAIR, seed=seed).play(messages)
    return exchange


def test_the_best_levels_are_the_recorded_ones_after_the_last_change() -> None:
    messages = recording()
    while messages[-1].message.get("e") != "depthUpdate":
        messages.pop()
    depth = played(messages).depth(PAIR, 5)
    last = messages[-1].message
    for mine, key in ((depth.bids, "b"), (depth.asks, "a")):
        told = {Decimal(p): Decimal(q) for p, q in last[key] if Decimal(q)}
        assert all(told.get(price, quantity) == quantity for price, quantity in mine)
    assert depth.bids[0][0] < depth.asks[0][0]


def test_recorded_trades_really_trade() -> None:
    messages = recording()
    trades = played(messages).trades[PAIR]
    takers = [m.message for m in messages if m.message.get("e") == "trade"]
    assert len(trades) >= len(takers) / 2
    assert {t.price for t in trades} & {Decimal(m["p"]) for m in takers}


def test_a_clients_resting_order_is_filled_by_the_recorded_flow() -> None:
    messages = recording()
    exchange = market()
    replay = Replay(exchange, PAIR, seed=1)
    replay.play(messages[:200])
    best = exchange.depth(PAIR, 1).bids[0][0]
    mine = exchange.place(Ask(TRADER, PAIR, Side.BUY, Decimal("0.001"), best + BTC.tick))
    replay.play(messages[200:])
    assert exchange.order(TRADER, order_id=mine.id).state is State.FILLED


def test_the_same_seed_makes_the_same_market() -> None:
    messages = recording()[:400]

    def trace(seed: int) -> tuple[list[Trade], list[int]]:
        exchange = played(messages, seed=seed)
        return exchange.trades[PAIR], [n for n, o in exchange.orders.items() if o.state.is_live]

    assert trace(3) == trace(3)
    assert trace(3)[1] != trace(4)[1]


def test_money_is_conserved_in_a_recorded_market() -> None:
    vault = played(recording()).vault
    assert all(vault.total(asset) == vault.deposited[asset] for asset in ("BTC", "USDT"))


def test_a_level_that_shrinks_lets_those_behind_it_move_up() -> None:
    exchange = market()
    replay = Replay(exchange, PAIR)
    replay.step({"lastUpdateId": 1, "bids": [["100.00", "2"]], "asks": []})
    mine = exchange.place(Ask(TRADER, PAIR, Side.BUY, Decimal(1), Decimal(100)))
    replay.step({"e": "depthUpdate", "b": [["100.00", "0"]], "a": []})
    replay.step({"e": "trade", "m": True, "p": "100.00", "q": "0.4"})
    assert exchange.order(TRADER, order_id=mine.id).filled == Decimal("0.4")
