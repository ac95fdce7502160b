"""The comparison at the local exchange, through unmodified ccxt, in every dialect."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from executor.cancelling import ref_of
from executor.identity import client_order_id
from executor.reconciliation.reconciler import Reconciler
from executor.submission import moved
from executor.venues.ccxt.connect import connect
from executor.venues.ccxt.credentials import Credentials
from executor.venues.ccxt.venue import CcxtVenue
from executor.venues.port import NewOrder
from home.clock import WallClock
from home.venues import VenueSettings
from tests.exchange.server import Local, serving
from tests.exchange.terms import Ask, Force
from tests.exchange.terms import Side as MarketSide
from tests.exchange.venues import TRADER, offer, quote_both_sides
from tests.executor.venues.exchange_contract import Ticking
from tests.executor.world import World
from tests.fakes.fake_market import SPX, FakeMarket, quiet_week
from when_to_invest import events as ev
from when_to_invest.history import OrderRecord
from when_to_invest.intents import OrderIntent, Side, TimeInForce
from when_to_invest.orders import OrderStep
from when_to_invest.reconciliation import BalancesTaken, ReconciliationDiffered, Subject

INSTRUMENT, LIMIT_USD = "BTC-USD", Decimal("99.7")
ENOUGH = 4


@dataclass
class Scene:
    """A journal, an exchange, and what compares them."""

    local: Local
    symbol: str
    venue: CcxtVenue

    def __post_init__(self) -> None:
        instrument = SPX.model_copy(update={"id": INSTRUMENT})
        bars = dict.fromkeys((SPX.id, INSTRUMENT), quiet_week())
        market = FakeMarket(instruments=(SPX, instrument), bars=bars)
        self.world = World(market=market)
        self.parts = self.world.parts()
        base, quote = self.symbol.split("/")
        self.reconciler = Reconciler(
            diary=self.parts.diary, venue=self.venue, log=self.parts.log, pairs={INSTRUMENT: (base, quote)}
        )

    async def looked(self) -> set[Subject]:
        for _ in range(ENOUGH):
            await self.reconciler.look()
        told = self.world.events(ReconciliationDiffered)
        return {event.subject for event in told if isinstance(event, ReconciliationDiffered)}

    async def sent(self, number: int) -> OrderRecord:
        """Send one order as the executor does, without its judgement."""
        name = self.venue.profile.name
        envelope = self.world.gate.sealed(
            number, venue=name, instrument=INSTRUMENT, quantity=Decimal(1), limit_price_usd=LIMIT_USD
        )
        decision_id, diary = envelope.content.decision_id, self.parts.diary
        assert isinstance(envelope.content.intent, OrderIntent)
        shape = self.venue.profile.client_id_shape
        intended = ev.SendIntended(
            at=diary.now(),
            mode=diary.mode,
            decision_id=decision_id,
            client_order_id=client_order_id(decision_id, slice_index=0, attempt=1, shape=shape),
            attempt=1,
            venue=name,
            instrument=INSTRUMENT,
            side=Side.BUY,
            quantity=Decimal(1),
            limit_price_usd=LIMIT_USD,
        )
        await diary.write(lambda: (intended,))
        placed = await self.venue.submit(
            NewOrder(
                intended.client_order_id,
                INSTRUMENT,
                Side.BUY,
                Decimal(1),
                LIMIT_USD,
                TimeInForce.DAY,
                datetime.now(UTC) + timedelta(seconds=30),
            )
        )
        step = moved(diary, intended, step=OrderStep.ACKNOWLEDGED, venue_order_id=placed.venue_order_id)
        await diary.write(lambda: (step,))
        return diary.decisions[decision_id].orders[intended.client_order_id]

    async def filled(self, order: OrderRecord) -> None:
        """Have it executed, and book what the venue tells of it."""
        offer(self.local.exchange, self.symbol, MarketSide.SELL, price=str(LIMIT_USD), quantity="1")
        for trade in await self.venue.trades(ref_of(order)):
            fill = ev.OrderFilled(
                at=self.parts.diary.now(),
                mode=self.parts.diary.mode,
                decision_id=order.sent.decision_id,
                client_order_id=order.sent.client_order_id,
                account="main",
                venue=order.sent.venue,
                trade_id=trade.trade_id,
                instrument=INSTRUMENT,
                side=Side.BUY,
                quantity=trade.quantity,
                price_usd=trade.price_usd,
                fee_usd=trade.fee_usd,
                is_last=True,
                charge=trade.charge,
            )
            await self.parts.diary.write(lambda fill=fill: (fill,))  # type: ignore[misc]


async def played(dialect: str) -> None:
    async with serving(dialect) as local:
        symbol = next(iter(local.exchange.listings))
        quote_both_sides(local.exchange, symbol)
        settings = VenueSettings(
            exchange=dialect,
            symbols={INSTRUMENT: symbol},
            dollars=(symbol.split("/")[1],),
            endpoint_url=local.url,
        )
        keys, time = local.counter.credentials, Ticking()
        venue = connect(
            dialect,
            settings,
            credentials=Credentials(keys.key, keys.secret),
            clock=WallClock(),
            monotonic=time.monotonic,
            pause=time.pause,
        )
        try:
            await told_one_by_one(Scene(local, symbol, venue))
        finally:
            await venue.close()


async def told_one_by_one(scene: Scene) -> None:
    assert await scene.looked() == set()
    assert len(scene.world.events(BalancesTaken)) == 1
    await scene.filled(await scene.sent(1))
    scene.world.clock.move_to(scene.world.clock.now() + timedelta(minutes=10))
    lost = await scene.sent(2)
    assert await scene.looked() == set(), "fees in the traded asset are reckoned with"

    exchange = scene.local.exchange
    ask = Ask(TRADER, scene.symbol, MarketSide.BUY, Decimal(1), Decimal(90), Force.GOOD_TILL_CANCELLED)
    exchange.place(ask)
    assert await scene.looked() == {Subject.ORDER_FOREIGN}

    working = exchange.order(TRADER, order_id=None, client_id=lost.sent.client_order_id)
    exchange.cancel(TRADER, working.id)
    assert await scene.looked() == {Subject.ORDER_FOREIGN, Subject.ORDER_LOST}

    exchange.vault.deposit(TRADER, "BTC", Decimal("0.3"))
    assert await scene.looked() == {Subject.ORDER_FOREIGN, Subject.ORDER_LOST, Subject.BALANCE}

    exchange.fills[TRADER].clear()
    assert Subject.TRADE_MISSING in await scene.looked()
    assert scene.world.journal.recorded[-1].event.kind == "reconciliation_differed"


@pytest.mark.parametrize("dialect", ["binance", "kraken", "coinbase"])
def test_what_is_tampered_with_is_told_and_what_is_traded_is_not(dialect: str) -> None:
    asyncio.run(asyncio.wait_for(played(dialect), 60))
