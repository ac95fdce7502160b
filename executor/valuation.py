"""Values the accounts, and switches off what loses too much or repeats itself too often.

Stage: executor, once a round. A mark is written when the UTC day is new, after a trade, or
when the worth has moved noticeably: the journal stays small. What automation does here only
tightens; people resume.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal, localcontext
from typing import Final

from executor.diary import Diary
from executor.log import Log
from executor.market import Market
from policies.exactness import EXACT, usable_price
from policies.limits import Limits
from policies.losses import loss_beyond, loss_why
from policies.splitting import repeated_executions
from policies.throttle import throttle_why
from policies.worth import measure_worth
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState
from when_to_invest.canonical import utc_text
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.intents import Side
from when_to_invest.market import ReferencePrice
from when_to_invest.marks import AccountMarked, Mark
from when_to_invest.money import BPS_PER_UNIT
from when_to_invest.wealth import AccountWorth

NOTICEABLE_BPS: Final = Decimal(25)
"""A change of worth below it waits for the next reason to write a mark."""
_MILLIONTH: Final = Decimal("0.000001")
_UNPRICED: Final = frozenset(
    {ErrorCode.UNKNOWN_INSTRUMENT, ErrorCode.NO_DATA, ErrorCode.CORRUPT_DATA, ErrorCode.AS_OF_BEFORE_DATA}
)


class Valuation:
    """Marks accounts from the executor's own view of the market."""

    def __init__(self, *, diary: Diary, market: Market, limits: Limits, log: Log) -> None:
        self._diary = diary
        self._market = market
        self._limits = limits
        self._log = log
        self._unmarked: set[str] = set()

    async def look(self) -> bool:
        """Mark every account that needs it, then tighten what must be; return whether any was marked.

        Raises:
            Fault: from the journal; a price that is unknown leaves an account unmarked.
        """
        marked = await self._diary.write(self._decide)
        for event in marked:
            self._log.say("account_marked", at=event.at, account=getattr(event, "account", ""))
        await self._stop_losses()
        await self._stop_repetitions()
        return bool(marked)

    def _decide(self) -> Sequence[ev.Event]:
        with localcontext(EXACT):
            marks = (self._mark_of(account) for account in sorted(self._diary.book.cash_usd))
            return [mark for mark in marks if mark is not None]

    def _mark_of(self, account: str) -> AccountMarked | None:
        book, now = self._diary.book, self._diary.now()
        held = {name for (owner, name), item in book.positions.items() if owner == account and item.quantity}
        known = book.wealth.accounts.get(account)
        if known is not None and not held and not known.has_traded:
            return None
        prices = {name: price for name in held if (price := self._price(name)) is not None}
        equity_usd = measure_worth(account, book=book, prices=prices, now=now).equity_usd
        if equity_usd is None:
            self._tell_unmarked(account, sorted(held - prices.keys()))
            return None
        self._unmarked.discard(account)
        is_new_day = known is not None and utc_text(now)[:10] > utc_text(known.marked_at)[:10]
        if known is not None and not (is_new_day or known.has_traded or _has_moved(known, equity_usd)):
            return None
        return self._marked(account, equity_usd=equity_usd, prices=prices)

    def _marked(
        self, account: str, *, equity_usd: Decimal, prices: Mapping[str, ReferencePrice]
    ) -> AccountMarked:
        return AccountMarked(
            at=self._diary.now(),
            mode=self._diary.mode,
            account=account,
            equity_usd=equity_usd.quantize(_MILLIONTH, rounding=ROUND_FLOOR),
            marks=tuple(
                Mark(
                    instrument=name,
                    price_usd=price.price_usd,
                    known_at=price.known_at,
                    source=price.source[:200],
                )
                for name, price in sorted(prices.items())
            ),
        )

    def _price(self, name: str) -> ReferencePrice | None:
        try:
            price = self._market.reference(name, now=self._diary.now())
        except Fault as fault:
            if fault.code not in _UNPRICED:
                raise
            return None
        usable = None if price is None else usable_price(price.price_usd)
        if price is None or usable is None:
            return None
        return ReferencePrice(price_usd=usable, known_at=price.known_at, source=price.source)

    def _tell_unmarked(self, account: str, names: Sequence[str]) -> None:
        if account not in self._unmarked:
            self._unmarked.add(account)
            unpriced = ", ".join(names)
            self._log.say("account_unmarked", at=self._diary.now(), account=account, unpriced=unpriced)

    async def _stop_losses(self) -> None:
        for account, worth in sorted(self._diary.book.wealth.accounts.items()):
            start_usd = worth.day_start_at(self._diary.now())
            for what, before_usd, cap_bps in (
                ("its day's start", start_usd, self._limits.max_daily_loss_bps),
                ("its peak", worth.peak_usd, self._limits.max_drawdown_bps),
            ):
                if loss_beyond(before_usd=before_usd, now_usd=worth.equity_usd, cap_bps=cap_bps):
                    why = loss_why(cap_bps=cap_bps, since=what)
                    await self._diary.tighten(f"account:{account}", state=TradingState.REDUCING, why=why)

    async def _stop_repetitions(self) -> None:
        """Switch an instrument off at the last execution allowed; loops of sells stop altogether."""
        book, most = self._diary.book, self._limits.max_repeated_executions
        shapes = {(item.instrument, item.side) for item in book.recent.sealed.values()}
        for name, side in sorted(shapes):
            count = repeated_executions(book, instrument=name, side=side, now=self._diary.now())
            if count >= max(most, 1):
                state = TradingState.REDUCING if side is Side.BUY else TradingState.HALTED
                why = throttle_why(count=count, side=side, most=most)
                await self._diary.tighten(f"instrument:{name}", state=state, why=why)


def _has_moved(known: AccountWorth, equity_usd: Decimal) -> bool:
    return abs(equity_usd - known.equity_usd) * BPS_PER_UNIT >= abs(known.equity_usd) * NOTICEABLE_BPS
