"""What a venue at the other end of a socket promises on top, whatever goes wrong in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from executor.venues.ccxt.connect import connect
from executor.venues.ccxt.credentials import Credentials
from executor.venues.ccxt.dialects import Dialect
from executor.venues.ccxt.venue import CcxtVenue
from executor.venues.port import (
    Accepted,
    Declined,
    NewOrder,
    Unknown,
    Unsent,
    VenueStatus,
    send,
)
from home.clock import WallClock
from home.venues import VenueSettings
from tests.exchange.mishaps import Kind, Mishap
from tests.exchange.server import Local, serving
from tests.exchange.terms import Side as MarketSide
from tests.exchange.venues import offer, quote_both_sides
from tests.executor.venues.contract import LONGEST_S, Scene, VenueContract, new_id, on_stage
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.intents import Side, TimeInForce
from when_to_invest.values import Mode

INSTRUMENT = "BTC-USD"


@dataclass
class Ticking:
    """Seconds that pass only while somebody pauses."""

    now: float = 1000.0
    pauses: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@dataclass(frozen=True)
class ExchangeScene(Scene):
    """A scene whose other end can be told to go wrong."""

    venue: CcxtVenue
    local: Local
    time: Ticking

    def go_wrong(self, kind: Kind, where: str, **details: Any) -> None:
        self.local.mishaps.add(Mishap(kind, where, **details))

    @property
    def live(self) -> list[str]:
        """What really rests, whatever the dialect tells."""
        mine = self.local.counter.desk.account
        return [str(order.ask.client_id) for order in self.local.exchange.open_orders(mine)]


class ExchangeContract(VenueContract):
    """Inherit, and name the dialect with the places of its calls."""

    dialect: str
    quote: str
    PLACE: str
    CANCEL: str
    OPEN: str
    timeout_s = 5.0

    def words(self) -> Dialect | None:
        """Return how the exchange is asked; none for its own way."""
        return None

    @asynccontextmanager
    async def staged(self, **settings: Any) -> AsyncIterator[ExchangeScene]:
        async with serving(self.dialect) as local:
            symbol = next(iter(local.exchange.listings))
            quote_both_sides(local.exchange, symbol)
            time, keys = Ticking(), local.counter.credentials
            venue = connect(
                "market",
                self.settings(local, symbol, **settings),
                credentials=Credentials(keys.key, keys.secret),
                clock=WallClock(),
                monotonic=time.monotonic,
                pause=time.pause,
                dialect=self.words(),
            )

            def order(number: int, **changes: Any) -> NewOrder:
                return NewOrder(
                    **{
                        "client_order_id": new_id(number, venue.profile.client_id_shape),
                        "instrument": INSTRUMENT,
                        "side": Side.BUY,
                        "quantity": Decimal("0.5"),
                        "limit_price_usd": Decimal("99.7"),
                        "time_in_force": TimeInForce.DAY,
                        "valid_until": datetime.now(UTC) + timedelta(seconds=30),
                        **changes,
                    }
                )

            async def fill(_: str, quantity: Decimal) -> None:
                offer(local.exchange, symbol, MarketSide.SELL, price="99.7", quantity=str(quantity))

            try:
                yield ExchangeScene(
                    venue=venue,
                    instrument=INSTRUMENT,
                    base="BTC",
                    quote=self.quote,
                    order=order,
                    fill=fill,
                    mode=Mode.PAPER,
                    name="market",
                    local=local,
                    time=time,
                )
            finally:
                await venue.close()

    def settings(self, local: Local, symbol: str, **changes: Any) -> VenueSettings:
        return VenueSettings(
            **{
                "exchange": self.dialect,
                "symbols": {INSTRUMENT: symbol},
                "dollars": (self.quote,),
                "endpoint_url": local.url,
                "timeout_s": self.timeout_s,
                **changes,
            }
        )

    def play(self, test: Any, **settings: Any) -> None:
        """Run a test on a scene of changed settings."""

        async def run() -> None:
            scenes: AbstractAsyncContextManager[ExchangeScene] = self.staged(**settings)
            async with scenes as scene:
                await test(scene)

        asyncio.run(asyncio.wait_for(run(), LONGEST_S))

    @on_stage
    async def test_a_partial_fill_is_told_and_outlives_the_cancel(self, scene: ExchangeScene) -> None:
        order, _ = await scene.placed()
        await scene.fill(order.client_order_id, Decimal("0.2"))
        found = await scene.found(order)
        assert (found.status, found.filled_quantity) == (VenueStatus.WORKING, Decimal("0.2"))
        await scene.venue.cancel(scene.ref(order))
        found = await scene.found(order)
        assert (found.status, found.filled_quantity) == (VenueStatus.CANCELLED, Decimal("0.2"))
        trades = await scene.venue.trades(scene.ref(order))
        assert [(t.quantity, t.price_usd) for t in trades] == [(Decimal("0.2"), Decimal("99.7"))]

    @on_stage
    async def test_too_little_money_declines(self, scene: ExchangeScene) -> None:
        order = scene.order(1, quantity=Decimal(3000))
        assert isinstance(await send(scene.venue, order), Declined)
        assert await scene.venue.find(scene.ref(order)) is None

    @on_stage
    async def test_what_is_worth_too_little_is_declined_before_it_is_sent(self, scene: ExchangeScene) -> None:
        scene.go_wrong(Kind.HALF_OPEN, self.PLACE)
        order = scene.order(1, quantity=Decimal("0.0001"), limit_price_usd=Decimal("99.7"))
        assert isinstance(await send(scene.venue, order), Declined)

    @pytest.mark.parametrize(
        "kind", [Kind.DROP_REPLY, Kind.SERVER_ERROR, Kind.GARBAGE], ids=lambda kind: kind.value
    )
    def test_an_order_whose_reply_is_lost_or_nonsense_is_unknown_then_found(self, kind: Kind) -> None:
        async def test(scene: ExchangeScene) -> None:
            scene.go_wrong(kind, self.PLACE)
            order = scene.order(1)
            assert isinstance(await send(scene.venue, order), Unknown)
            found = await scene.found(order)
            assert (found.status, found.client_order_id) == (VenueStatus.WORKING, order.client_order_id)
            assert len(scene.live) == 1

        self.play(test)

    @on_stage
    async def test_an_order_that_appears_late_is_found_late_and_placed_once(
        self, scene: ExchangeScene
    ) -> None:
        scene.go_wrong(Kind.APPEAR_LATE, self.PLACE, reads=6)
        order = scene.order(1)
        assert isinstance(await send(scene.venue, order), Unknown)
        looks = [await scene.venue.find(scene.ref(order)) for _ in range(8)]
        assert looks[0] is None
        assert looks[-1] is not None
        assert len(scene.live) == 1

    @pytest.mark.parametrize(
        "kind", [Kind.UNAVAILABLE, Kind.RATE_LIMITED, Kind.BANNED], ids=lambda kind: kind.value
    )
    def test_an_order_turned_away_at_the_door_is_unknown_then_absent(self, kind: Kind) -> None:
        async def test(scene: ExchangeScene) -> None:
            scene.go_wrong(kind, self.PLACE)
            order = scene.order(1)
            assert isinstance(await send(scene.venue, order), Unknown)
            assert [await scene.venue.find(scene.ref(order)) for _ in range(3)] == [None] * 3
            assert scene.live == []

        self.play(test)

    @on_stage
    async def test_a_request_that_arrives_twice_is_never_taken_for_refused(
        self, scene: ExchangeScene
    ) -> None:
        scene.go_wrong(Kind.DUPLICATE, self.PLACE)
        order = scene.order(1)
        assert isinstance(await send(scene.venue, order), Accepted | Unknown)
        assert (await scene.found(order)).status is VenueStatus.WORKING
        assert len(scene.live) == 1

    @on_stage
    async def test_a_refusal_that_a_second_copy_met_is_looked_up(self, scene: ExchangeScene) -> None:
        """The first copy holds all the money, so the second is refused for want of it."""
        scene.go_wrong(Kind.DUPLICATE, self.PLACE)
        order = scene.order(1, quantity=Decimal(900))
        assert isinstance(await send(scene.venue, order), Accepted | Unknown)
        assert len(scene.live) == 1

    @on_stage
    async def test_nothing_is_sent_where_nobody_listens(self, scene: ExchangeScene) -> None:
        await scene.venue.status()
        client = scene.venue._desk.line.client
        client.urls["api"] = _elsewhere(client.urls["api"], scene.local.port)
        assert isinstance(await send(scene.venue, scene.order(1)), Unsent)
        with pytest.raises(Fault) as raised:
            await scene.venue.find(scene.ref(scene.order(1)))
        assert raised.value.code is ErrorCode.VENUE_UNAVAILABLE

    def test_a_silent_connection_ends_in_doubt(self) -> None:
        async def test(scene: ExchangeScene) -> None:
            await scene.venue.status()
            scene.go_wrong(Kind.HALF_OPEN, self.PLACE)
            scene.venue._desk.line.client.timeout = 200
            order = scene.order(1)
            assert isinstance(await send(scene.venue, order), Unknown)
            scene.venue._desk.line.client.timeout = 5000
            assert await scene.venue.find(scene.ref(order)) is None

        self.play(test)

    @on_stage
    async def test_a_venue_that_asks_to_be_left_alone_is(self, scene: ExchangeScene) -> None:
        await scene.venue.status()
        began = scene.time.now
        scene.go_wrong(Kind.RATE_LIMITED, "*", retry_after_s=7)
        with pytest.raises(Fault) as raised:
            await scene.venue.balances()
        assert raised.value.code is ErrorCode.VENUE_UNAVAILABLE
        assert isinstance(await send(scene.venue, scene.order(1)), Unsent)
        assert scene.live == []
        await scene.venue.balances()
        assert scene.time.now - began >= 7
        await scene.placed(1)

    @pytest.mark.parametrize(
        "kind", [Kind.UNAVAILABLE, Kind.GARBAGE, Kind.DROP_REPLY], ids=lambda kind: kind.value
    )
    def test_no_question_mistakes_a_failure_for_an_answer(self, kind: Kind) -> None:
        async def test(scene: ExchangeScene) -> None:
            order, _ = await scene.placed()
            ref = scene.ref(order)
            scene.go_wrong(kind, "*", times=100)
            questions = (
                scene.venue.find(ref),
                scene.venue.trades(ref),
                scene.venue.cancel(ref),
                scene.venue.open_orders(),
                scene.venue.balances(),
                scene.venue.quote(scene.instrument),
            )
            for question in questions:
                with pytest.raises(Fault) as raised:
                    await question
                assert raised.value.code is ErrorCode.VENUE_UNAVAILABLE

        self.play(test)

    @on_stage
    async def test_a_cancel_whose_reply_is_lost_may_be_asked_for_again(self, scene: ExchangeScene) -> None:
        order, answer = await scene.placed()
        ref = scene.ref(order, answer.venue_order_id)
        scene.go_wrong(Kind.DROP_REPLY, self.CANCEL)
        with suppress(Fault):
            await scene.venue.cancel(ref)
        assert scene.live == []
        await scene.venue.cancel(ref)
        assert (await scene.found(order)).status is VenueStatus.CANCELLED

    def test_a_venue_whose_clock_is_a_little_wrong_is_signed_for_in_its_own_time(self) -> None:
        async def test(scene: ExchangeScene) -> None:
            scene.local.mishaps.skew_ms = -4_000
            await scene.placed()
            assert abs(scene.venue._desk.time.offset - timedelta(seconds=-4)) < timedelta(seconds=1)

        self.play(test)

    def test_nothing_new_is_sent_to_a_venue_whose_clock_is_wrong(self) -> None:
        async def test(scene: ExchangeScene) -> None:
            scene.local.mishaps.skew_ms = 60_000
            assert isinstance(await send(scene.venue, scene.order(1)), Unsent)
            assert scene.live == []

        self.play(test)

    @on_stage
    async def test_what_may_not_arrive_any_more_is_not_sent(self, scene: ExchangeScene) -> None:
        order = scene.order(1, valid_until=datetime.now(UTC) - timedelta(seconds=1))
        assert isinstance(await send(scene.venue, order), Declined)
        assert scene.live == []

    @on_stage
    async def test_orders_side_by_side_are_each_placed_once(self, scene: ExchangeScene) -> None:
        orders = [scene.order(number) for number in range(5)]
        outcomes = await asyncio.gather(*(send(scene.venue, order) for order in orders))
        assert all(isinstance(outcome, Accepted) for outcome in outcomes), outcomes
        assert sorted(scene.live) == sorted(order.client_order_id for order in orders)

    def test_every_page_of_trades_is_read_and_each_trade_told_once(self) -> None:
        async def test(scene: ExchangeScene) -> None:
            order, _ = await scene.placed(quantity=Decimal(6))
            for _ in range(60):
                await scene.fill(order.client_order_id, Decimal("0.1"))
            if self.dialect != "kraken":
                scene.venue._desk.dialect.page = 7
            trades = await scene.venue.trades(scene.ref(order))
            assert sum(trade.quantity for trade in trades) == order.quantity
            assert len({trade.trade_id for trade in trades}) == len(trades) == 60

        self.play(test, requests_per_s=1000)

    @on_stage
    async def test_what_everybody_traded_since_an_instant_is_added_up(self, scene: ExchangeScene) -> None:
        order, _ = await scene.placed()
        began = datetime.now(UTC) - timedelta(seconds=1)
        assert await scene.venue.traded_quantity(scene.instrument, since=began) == 0
        await scene.fill(order.client_order_id, Decimal("0.2"))
        await scene.fill(order.client_order_id, Decimal("0.1"))
        assert await scene.venue.traded_quantity(scene.instrument, since=began) == Decimal("0.3")
        later = datetime.now(UTC) + timedelta(seconds=1)
        assert await scene.venue.traded_quantity(scene.instrument, since=later) == 0
        assert await scene.venue.traded_quantity("NOWHERE", since=began) is None

    @on_stage
    async def test_an_order_that_outlived_its_day_is_cancelled(self, scene: ExchangeScene) -> None:
        order, _ = await scene.placed()
        mine = scene.local.counter.desk.account
        for resting in scene.local.exchange.orders.values():
            resting.created_ms -= 86_400_000 if resting.ask.account == mine else 0
        await scene.found(order)
        assert (await scene.found(order)).status is VenueStatus.CANCELLED

    @on_stage
    async def test_an_id_in_another_venues_shape_is_not_sent(self, scene: ExchangeScene) -> None:
        for name in ("", "not an id!", "x" * 60):
            assert isinstance(await send(scene.venue, scene.order(1, client_order_id=name)), Declined)
        assert scene.live == []

    @pytest.mark.parametrize("kind", [Kind.DROP_REPLY, Kind.GARBAGE], ids=lambda kind: kind.value)
    def test_a_page_or_silence_is_no_absence_and_what_is_told_of_it_holds_no_secret(self, kind: Kind) -> None:
        """Also of an order whose number is known, which ccxt looks for in whatever it is given."""

        async def test(scene: ExchangeScene) -> None:
            order, answer = await scene.placed()
            ref, keys = scene.ref(order, answer.venue_order_id), scene.local.counter.credentials
            scene.go_wrong(kind, "*", times=100)
            for ask in (scene.venue.find, scene.venue.trades, scene.venue.cancel):
                with pytest.raises(Fault) as raised:
                    await ask(ref)
                assert raised.value.code is ErrorCode.VENUE_UNAVAILABLE
                for secret in ("signature=", keys.key, keys.secret):
                    assert secret not in raised.value.message

        self.play(test)


def _elsewhere(urls: dict[str, Any], port: int) -> dict[str, Any]:
    """Return the same addresses at a port that nobody listens on."""
    return {name: url.replace(f":{port}", ":1") for name, url in urls.items() if isinstance(url, str)}
