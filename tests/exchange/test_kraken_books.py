"""Kraken's books as its guide has clients keep them: cut to their depth, and checked by a checksum.

ccxt's own check is off, and cannot be switched on in Python (4.5.90 splits a float as if it
were text), so a client that follows the guide checks here.
"""

from __future__ import annotations

import random
import zlib
from decimal import Decimal
from typing import Any

from tests.exchange.exact import exact_json
from tests.exchange.kraken_books import BookView, checksum
from tests.exchange.listening import listening
from tests.exchange.meeting import on_a_loop
from tests.exchange.server import Local, serving
from tests.exchange.terms import Depth, DepthMoved, Side
from tests.exchange.venues import offer

PAIR = "BTC/USD"
DEPTH = 10
ONE = Decimal(1)
GUIDE_ASKS = """45285.2 0.00100000 45286.4 1.54571953 45286.6 1.54571109 45289.6 1.54560911
    45290.2 0.15890660 45291.8 1.54553491 45294.7 0.04454749 45296.1 0.35380000
    45297.5 0.09945542 45299.5 0.18772827"""
GUIDE_BIDS = """45283.5 0.10000000 45283.4 1.54582015 45282.1 0.10000000 45281.0 0.10000000
    45280.3 1.54592586 45279.0 0.07990000 45277.6 0.03310103 45277.5 0.30000000
    45277.3 1.54602737 45276.6 0.15445238"""


def pairs(text: str) -> tuple[tuple[Decimal, Decimal], ...]:
    words = [Decimal(word) for word in text.split()]
    return tuple(zip(words[::2], words[1::2], strict=True))


def test_the_checksum_of_the_guides_own_book_is_the_guides() -> None:
    book = Depth(1, pairs(GUIDE_BIDS), pairs(GUIDE_ASKS))
    assert checksum(book, tick=Decimal("0.1"), lot=Decimal("0.00000001")) == 3310070434


def levels(*prices: int) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((Decimal(price), ONE) for price in prices)


def test_what_comes_into_sight_is_told_and_what_is_pushed_out_is_not() -> None:
    view = BookView(Depth(1, (), levels(101, 102)))
    pushed = view.changes(DepthMoved(PAIR, 2, (), levels(100)), Depth(2, (), levels(100, 101)))
    assert pushed.asks == levels(100)
    traded = DepthMoved(PAIR, 3, (), ((Decimal(100), Decimal(0)),))
    assert view.changes(traded, Depth(3, (), levels(101, 102))).asks == (*traded.asks, *levels(102))
    unseen = view.changes(DepthMoved(PAIR, 4, (), levels(103)), Depth(4, (), levels(101, 102)))
    assert unseen.asks == ()


def test_numbers_travel_with_all_of_their_digits() -> None:
    assert exact_json({"p": Decimal("100.50"), "q": Decimal("0E-7"), "s": "1"}) == (
        '{"p": 100.50, "q": 0.0000000, "s": "1"}'
    )


class Client:
    """Keeps a book as the guide says, from messages alone."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[Decimal, Decimal]] = {"asks": {}, "bids": {}}

    def take(self, message: dict[str, Any]) -> None:
        (told,) = message["data"]
        for name, side in self.sides.items():
            for level in told[name]:
                side.pop(level["price"], None)
                if level["qty"]:
                    side[level["price"]] = level["qty"]
            for price in self.best(name)[DEPTH:]:
                del side[price]

    def best(self, name: str) -> list[Decimal]:
        return sorted(self.sides[name], reverse=name == "bids")

    def checksum(self) -> int:
        texts = (str(x) for n, side in self.sides.items() for p in self.best(n) for x in (p, side[p]))
        return zlib.crc32("".join(text.replace(".", "").lstrip("0") for text in texts).encode())


def stir(local: Local, draw: random.Random) -> None:
    """Let the crowd place an order near the middle, on either side, that rests or trades."""
    side = draw.choice([Side.BUY, Side.SELL])
    price = Decimal(1000 + draw.randint(-20, 20)) / 10
    offer(local.exchange, PAIR, side, price=str(price), quantity=str(Decimal(draw.randint(1, 40)) / 8))


@on_a_loop
async def test_a_client_that_follows_the_guide_agrees_with_every_checksum() -> None:
    draw = random.Random(7)  # noqa: S311 - orders, not secrets
    async with serving("kraken") as local, listening(local, "/v2") as ear:
        for _ in range(60):
            stir(local, draw)
        params = {"channel": "book", "symbol": [PAIR], "depth": DEPTH}
        await ear.say({"method": "subscribe", "params": params, "req_id": 1})
        client, checked = Client(), 0
        client.take(snapshot := await ear.hear(lambda m: m.get("type") == "snapshot"))
        assert client.checksum() == snapshot["data"][0]["checksum"]
        for _ in range(300):
            stir(local, draw)
        last = local.exchange.depth(PAIR, DEPTH)
        while client.sides != {"asks": dict(last.asks), "bids": dict(last.bids)}:
            client.take(told := await ear.hear(lambda m: m.get("channel") == "book"))
            assert client.checksum() == told["data"][0]["checksum"]
            checked += 1
        assert checked > 100


@on_a_loop
async def test_a_depth_that_kraken_has_not_is_refused() -> None:
    async with serving("kraken") as local, listening(local, "/v2") as ear:
        params = {"channel": "book", "symbol": [PAIR], "depth": 11}
        await ear.say({"method": "subscribe", "params": params, "req_id": 1})
        assert not (await ear.hear(lambda m: "success" in m))["success"]
