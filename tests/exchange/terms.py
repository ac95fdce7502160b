"""The words of the local exchange: what is listed, what is asked for, what came of it.

Amounts are exact Decimals of the base or quote asset; times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

ZERO = Decimal(0)
SMALLEST = Decimal("0.00000001")


def instant(time_ms: int) -> str:
    """Return a time as text, such as "2024-01-15T10:30:00.000000Z"."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "buy"
    SELL = "sell"

    @property
    def other(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class Force(StrEnum):
    """What happens to the part that does not trade at once."""

    GOOD_TILL_CANCELLED = "gtc"
    IMMEDIATE_OR_CANCEL = "ioc"
    FILL_OR_KILL = "fok"
    POST_ONLY = "post_only"


class State(StrEnum):
    """Where an order stands."""

    OPEN = "open"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def is_live(self) -> bool:
        return self in (State.OPEN, State.PARTLY_FILLED)


class SelfTrade(StrEnum):
    """What happens when an order would trade against its own account."""

    ALLOW = "allow"
    EXPIRE_TAKER = "expire_taker"
    EXPIRE_MAKER = "expire_maker"


class Why(StrEnum):
    """Why the exchange refused."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    BAD_PRICE = "bad_price"
    BAD_QUANTITY = "bad_quantity"
    TOO_SMALL = "too_small"
    NO_FUNDS = "no_funds"
    DUPLICATE = "duplicate"
    WOULD_TAKE = "would_take"
    NO_LIQUIDITY = "no_liquidity"
    UNKNOWN_ORDER = "unknown_order"
    NOT_LIVE = "not_live"


class RefusedError(Exception):
    """The exchange did nothing; `why` is what each dialect words in its own way."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Listing:
    """One traded pair and its filters."""

    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    min_notional: Decimal

    def __post_init__(self) -> None:
        if self.tick * self.lot < SMALLEST:
            raise ValueError(f"{self.symbol}: a tick times a lot is finer than {SMALLEST}")

    @property
    def symbol(self) -> str:
        return f"{self.base}/{self.quote}"

    def check(self, price: Decimal, quantity: Decimal, *, is_unfiltered: bool = False) -> None:
        """Raise RefusedError unless price and quantity pass every filter (unfiltered: are amounts at all)."""
        if not price.is_finite() or price <= 0 or price % self.tick:
            raise RefusedError(Why.BAD_PRICE)
        if not quantity.is_finite() or quantity <= 0:
            raise RefusedError(Why.BAD_QUANTITY)
        if is_unfiltered:
            return
        if quantity % self.lot:
            raise RefusedError(Why.BAD_QUANTITY)
        if price * quantity < self.min_notional:
            raise RefusedError(Why.TOO_SMALL)


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """Ratios of what trades; charged in the asset received, or always in the quote asset."""

    maker_ratio: Decimal = Decimal("0.001")
    taker_ratio: Decimal = Decimal("0.001")
    is_in_quote: bool = False

    def fee(self, amount: Decimal, *, is_maker: bool) -> Decimal:
        ratio = self.maker_ratio if is_maker else self.taker_ratio
        return (amount * ratio).quantize(SMALLEST, ROUND_DOWN)

    @property
    def buyer_reserve_ratio(self) -> Decimal:
        """What a buyer must hold on top of the price, as a ratio of it."""
        return max(self.maker_ratio, self.taker_ratio) if self.is_in_quote else ZERO


@dataclass(frozen=True, slots=True)
class Ask:
    """What an account asks for; no price means at the market.

    Recorded totals hold odd lots and remainders that no new order may have: `is_unfiltered`.
    """

    account: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal | None = None
    force: Force = Force.GOOD_TILL_CANCELLED
    client_id: str | None = None
    self_trade: SelfTrade = SelfTrade.ALLOW
    is_unfiltered: bool = False


@dataclass(slots=True)
class Order:
    """An accepted order; `held` is what its account still has on hold for it."""

    id: int
    ask: Ask
    client_id: str
    created_ms: int
    updated_ms: int
    state: State = State.OPEN
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    fees: Decimal = ZERO
    held: Decimal = ZERO
    hold_per_unit: Decimal = ZERO

    @property
    def open_quantity(self) -> Decimal:
        return self.ask.quantity - self.filled


@dataclass(frozen=True, slots=True)
class Trade:
    """One match, as everybody sees it."""

    id: int
    symbol: str
    price: Decimal
    quantity: Decimal
    taker_side: Side
    time_ms: int


@dataclass(frozen=True, slots=True)
class Fill:
    """One side's view of a trade."""

    trade: Trade
    order_id: int
    client_id: str
    account: str
    side: Side
    is_maker: bool
    fee: Decimal
    fee_asset: str


class Turn(StrEnum):
    """What just happened to an order."""

    ACCEPTED = "accepted"
    TRADED = "traded"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class OrderTurned:
    """An order as it stood right after a turn."""

    order: Order
    turn: Turn
    fill: Fill | None = None


@dataclass(frozen=True, slots=True)
class DepthMoved:
    """Levels that changed, with their new quantity (0: gone)."""

    symbol: str
    sequence: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class BalanceMoved:
    """An account's holdings of some assets changed."""

    account: str
    assets: frozenset[str]


Happening = OrderTurned | Trade | DepthMoved | BalanceMoved


@dataclass(frozen=True, slots=True)
class Depth:
    """The best levels of both sides, best first."""

    sequence: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]


@dataclass(slots=True)
class Holding:
    """What an account has of one asset."""

    free: Decimal = ZERO
    held: Decimal = ZERO


@dataclass(slots=True)
class Candle:
    """Trades of one interval."""

    start_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    cost: Decimal = ZERO
    taker_buy_volume: Decimal = ZERO
    taker_buy_cost: Decimal = ZERO
    trades: int = 0
    first_id: int = -1
    last_id: int = -1
    is_closed: bool = False
