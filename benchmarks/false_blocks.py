"""How often the gate stands in the way of ordinary use: twenty years of it, on recorded days.

A gate that blocks too much gets switched off. Three people who do nothing wrong trade the
recorded indices from 1999 to 2018 under the hard limits: one saves weekly, one buys in four
parts every month, one rebalances two indices every other day. Nobody signs anything. Every
refusal and every hold counts as false, also after sessions in which the market itself was wild;
those are told apart, and `notes` tells all by rule. When a drawdown is met, people look and
resume the account.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from benchmarks.row import Figure, Row, within
from home.paths import Home
from market_data.catalogue import bars_of, instrument
from market_data.source import next_bar, reference_price
from policies.facts import gather_facts
from policies.gate import judge
from policies.limits import HARD_LIMITS
from policies.turbulence import INDEXES
from when_to_invest import events as ev
from when_to_invest.envelopes import Envelope, EnvelopeContent
from when_to_invest.intents import OrderIntent, Side, TimeInForce, decision_id_of
from when_to_invest.market import ReferencePrice
from when_to_invest.marks import AccountMarked
from when_to_invest.money import floor_to_step
from when_to_invest.orders import OrderStep
from when_to_invest.portfolio import AccountBook
from when_to_invest.values import Mode
from when_to_invest.verdicts import Approved, Held, Refused

MOST_FALSE_BPS: Final = 50.0
"""Of all legitimate orders: one in two hundred."""
MOST_REFUSED_BPS: Final = 200.0
"""With the days on which the market itself left its band, which those years were full of."""
_OF_THE_MARKET: Final = frozenset({"price_band", "market_halt"})
AFTER_CLOSE: Final = timedelta(minutes=5)
EVERY: Final = 21
ROOM_USD: Final = Decimal(40_000)
"""What each of them holds of one index at most; they sell some above it once a month."""
TRIM_USD: Final = Decimal(8_000)
PARTS: Final = 4
_CENT: Final = Decimal("0.01")
_LOT: Final = Decimal("0.001")
_NOBODY: Final = "0x" + "00" * 20
_UNSIGNED: Final = "0x" + "00" * 65
_HASH: Final = "00" * 32


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants on a day."""

    name: str
    side: Side
    notional_usd: Decimal


def _saver(day: int) -> Iterator[Wish]:
    if day % 5 == 0:
        yield Wish("SPX", Side.BUY, Decimal(1_000))


def _stager(day: int) -> Iterator[Wish]:
    if day % EVERY < PARTS:
        yield Wish("IXIC", Side.BUY, Decimal(2_400))


def _rebalancer(day: int) -> Iterator[Wish]:
    if day % 2 == 0:
        buys, sells = ("SPX", "IXIC") if day % 4 else ("IXIC", "SPX")
        yield Wish(sells, Side.SELL, Decimal(2_000))
        yield Wish(buys, Side.BUY, Decimal(3_000))


PEOPLE: Final = {"saver": _saver, "stager": _stager, "rebalancer": _rebalancer}


@dataclass
class Tally:
    """Judgements of legitimate orders, and what stood in their way."""

    asked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    blocked_orders: int = 0
    calm_blocked_orders: int = 0
    held_orders: int = 0


def rows() -> list[Row]:
    """Return how many of ten thousand legitimate orders are refused, and how many are held."""
    tally = count()
    told = (
        ("refused", tally.blocked_orders, MOST_REFUSED_BPS),
        ("refused after sessions within their band", tally.calm_blocked_orders, MOST_FALSE_BPS),
        ("held for a signature", tally.held_orders, MOST_FALSE_BPS),
    )
    return [
        within(
            f"legitimate orders {what}, of {tally.asked:,}",
            Figure(orders * 10_000 / tally.asked, "bps"),
            bound=bound,
        )
        for what, orders, bound in told
    ]


def notes() -> list[str]:
    """Return the rules that stood in the way, each with how often."""
    tally = count()
    told = [f"{rule} {n}" for rule, n in (tally.refused + tally.held).most_common()]
    return [f"legitimate orders blocked, by rule: {', '.join(told) or 'none'}"]


@lru_cache(maxsize=1)
def count() -> Tally:
    """Let everybody trade through all recorded days; the same figures on every run."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as made:
        home = Home(Path(made))
        for name, wishes in PEOPLE.items():
            person = _Person(home, name, tally)
            for day, opened_at in enumerate(_days(home)):
                person.live(day, opened_at + timedelta(hours=21) + AFTER_CLOSE, wishes(day))
    return tally


def _days(home: Home) -> list[datetime]:
    series = bars_of(home, "SPX")
    return [series.opened_at(index) for index in range(30, len(series) - 2)]


class _Person:
    """One account of 100,000 USD and its book."""

    def __init__(self, home: Home, name: str, tally: Tally) -> None:
        self._home, self._name, self._tally = home, name, tally
        self._book = AccountBook()
        start = datetime(1999, 1, 4, tzinfo=UTC)
        self._book.apply(
            ev.AccountFunded(at=start, mode=Mode.REPLAY, account="main", cash_usd=Decimal(100_000))
        )
        self._asked = 0

    def live(self, day: int, now: datetime, wishes: Iterator[Wish]) -> None:
        """Mark the account, make room where too much is held, then ask for what is wished."""
        prices = {name: self._price(name, now) for name in ("SPX", "IXIC")}
        self._mark(now, prices)
        for name, price in prices.items():
            held_usd = self._book.position("main", name).quantity * price.price_usd
            if held_usd > ROOM_USD and day % EVERY == EVERY - 1:
                self._ask(Wish(name, Side.SELL, TRIM_USD), now, prices)
        for wish in wishes:
            if self._is_within_means(wish, prices[wish.name]):
                self._ask(wish, now, prices)

    def _is_within_means(self, wish: Wish, price: ReferencePrice) -> bool:
        """Whether somebody who knows the account would ask for it."""
        held_usd = self._book.position("main", wish.name).quantity * price.price_usd
        if wish.side is Side.SELL:
            return held_usd > wish.notional_usd
        has_cash = self._book.cash_usd["main"] > wish.notional_usd * Decimal("1.05")
        return has_cash and held_usd + wish.notional_usd < ROOM_USD

    def _price(self, name: str, now: datetime) -> ReferencePrice:
        price = reference_price(self._home, name, now=now)
        if price is None:
            raise LookupError(f"{name} has no price on {now:%Y-%m-%d}")
        return price

    def _mark(self, now: datetime, prices: dict[str, ReferencePrice]) -> None:
        worth = self._book.cash_usd["main"] + sum(
            self._book.position("main", name).quantity * price.price_usd for name, price in prices.items()
        )
        marked = AccountMarked(
            at=now, mode=Mode.REPLAY, account="main", equity_usd=worth.quantize(_CENT), marks=()
        )
        self._book.apply(marked)

    def _ask(self, wish: Wish, now: datetime, prices: dict[str, ReferencePrice]) -> None:
        self._asked += 1
        self._tally.asked += 1
        intent = self._intent(wish, now, prices[wish.name].price_usd)
        decision_id = decision_id_of(proposer=self._name, request_id=intent.request_id)
        self._book.apply(
            ev.IntentProposed(
                at=now, mode=Mode.REPLAY, decision_id=decision_id, caller=self._name, intent=intent
            )
        )
        facts = gather_facts(
            intent,
            decision_id=decision_id,
            book=self._book,
            instrument=instrument(self._home, wish.name),
            reference=prices[wish.name],
            marks=prices,
            approvers=frozenset(),
            now=now,
            mode=Mode.REPLAY,
            index=prices[INDEXES[0]],
        )
        verdict = judge(intent, facts, HARD_LIMITS)
        if isinstance(verdict, Approved):
            self._trade(intent, decision_id, now)
        else:
            self._count(verdict)

    def _intent(self, wish: Wish, now: datetime, market_price_usd: Decimal) -> OrderIntent:
        """Return an order for the wish at up to 1 % worse than the market."""
        price_usd = floor_to_step(market_price_usd, _CENT)
        return OrderIntent(
            mode=Mode.REPLAY,
            account="main",
            venue="paper",
            instrument=wish.name,
            side=wish.side,
            quantity=floor_to_step(wish.notional_usd / price_usd, _LOT),
            limit_price_usd=floor_to_step(price_usd * (1 + wish.side.sign * Decimal("0.01")), _CENT),
            time_in_force=TimeInForce.DAY,
            proposer=self._name,
            request_id=f"r-{self._asked}",
            proposed_at=now,
        )

    def _count(self, verdict: Held | Refused) -> None:
        rules = [reason.rule for reason in verdict.reasons]
        if isinstance(verdict, Held):
            self._tally.held.update(rules)
            self._tally.held_orders += 1
            return
        self._tally.refused.update(rules)
        self._tally.blocked_orders += 1
        self._tally.calm_blocked_orders += not _OF_THE_MARKET.issuperset(rules)
        if "drawdown" in rules:
            self._book.wealth.start_anew("account:main")

    def _trade(self, intent: OrderIntent, decision_id: str, now: datetime) -> None:
        """Seal it and fill it at the next open, if that is within its limit; else it expires."""
        about: dict[str, Any] = {"at": now, "mode": Mode.REPLAY, "decision_id": decision_id}
        self._book.apply(ev.EnvelopeSealed(envelope=_envelope(intent, decision_id, now), **about))
        sent = ev.SendIntended(
            client_order_id=decision_id,
            attempt=1,
            venue=intent.venue,
            instrument=intent.instrument,
            side=intent.side,
            quantity=intent.quantity,
            limit_price_usd=intent.limit_price_usd,
            **about,
        )
        self._book.apply(sent)
        self._book.apply(ev.OrderMoved(client_order_id=decision_id, step=OrderStep.ACKNOWLEDGED, **about))
        bar = next_bar(self._home, intent.instrument, after=now, until=now + timedelta(days=7))
        beyond = None if bar is None else (bar.open_usd - intent.limit_price_usd) * intent.side.sign
        if bar is None or beyond is None or beyond > 0:
            step = OrderStep.EXPIRED
            self._book.apply(ev.OrderMoved(client_order_id=decision_id, step=step, **about))
            return
        self._book.apply(
            ev.OrderFilled(
                client_order_id=decision_id,
                account="main",
                venue=intent.venue,
                trade_id=decision_id,
                instrument=intent.instrument,
                side=intent.side,
                quantity=intent.quantity,
                price_usd=bar.open_usd,
                fee_usd=Decimal("0.5"),
                is_last=True,
                **about,
            )
        )


def _envelope(intent: OrderIntent, decision_id: str, now: datetime) -> Envelope:
    content = EnvelopeContent(
        decision_id=decision_id,
        mode=intent.mode,
        intent=intent,
        intent_hash=intent.digest(),
        facts_hash=_HASH,
        limits_hash=_HASH,
        approvals=(),
        sealed_at=now,
        expires_at=now + timedelta(minutes=15),
    )
    return Envelope(content=content, seal_address=_NOBODY, seal=_UNSIGNED)
