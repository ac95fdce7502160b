"""Losses of an account against what it was worth before. Stage: gate, for the loss limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final

from policies.exactness import EXACT, known_price
from policies.facts import Facts
from policies.limits import Limits
from policies.rule import missing, over_cap
from policies.worth import measure_worth
from when_to_invest.breakers import Halt
from when_to_invest.intents import OrderIntent
from when_to_invest.market import ReferencePrice
from when_to_invest.money import BPS_PER_UNIT, decimal_text
from when_to_invest.portfolio import AccountBook
from when_to_invest.standing import Standing
from when_to_invest.verdicts import Reason

TRIPPED_BY: Final = "executor"
_WORTH: Final = "worth more than "


@dataclass(frozen=True, slots=True)
class Trip:
    """A loss breaker that stands: the digest of the event that tripped it."""

    event_digest: str

    @property
    def request_prefix(self) -> str:
        """Return what the request ids of everything proposed because of it begin with."""
        return f"loss-{self.event_digest[:32]}-"


def loss_why(*, cap_bps: Decimal, since: str) -> str:
    """Return the reason that a loss breaker gives when it trips."""
    return f"{_WORTH}{decimal_text(cap_bps)} bps less than at {since}"


def loss_trip(standing: Standing, *, account: str) -> Trip | None:
    """Return the oldest loss breaker of an account that people have not lifted; none without one."""
    halts = standing.halts.get(f"account:{account}", ())
    return next((Trip(digest) for digest, halt in halts if _is_loss(halt)), None)


def _is_loss(halt: Halt) -> bool:
    return halt.by == TRIPPED_BY and not halt.latch_id and halt.why.startswith(_WORTH)


def loss_beyond(*, before_usd: Decimal, now_usd: Decimal, cap_bps: Decimal) -> bool:
    """Return whether the fall from `before_usd` to `now_usd` is larger than `cap_bps` of the former."""
    return (before_usd - now_usd) * BPS_PER_UNIT > before_usd * cap_bps


def loss_doubt(
    account: str, *, book: AccountBook, prices: Mapping[str, ReferencePrice], limits: Limits, now: datetime
) -> str | None:
    """Return why no loss of `account` beyond a limit shows at these prices; none when one does.

    `prices` are the caller's own, by instrument. A breaker in the journal only says that there
    was a loss; what is sold because of it is sold where the loss is seen.
    """
    usable = {name: price for name, mark in prices.items() if (price := known_price(mark)) is not None}
    with localcontext(EXACT):
        worth = measure_worth(account, book=book, prices=usable, now=now)
        if worth.equity_usd is None:
            return f"what the account {account} is worth is not known here, so no loss of it is"
        caps = ((worth.day_start_usd, limits.max_daily_loss_bps), (worth.peak_usd, limits.max_drawdown_bps))
        for before_usd, cap_bps in caps:
            if before_usd is not None and loss_beyond(
                before_usd=before_usd, now_usd=worth.equity_usd, cap_bps=cap_bps
            ):
                return None
        return f"the account {account} is worth {worth.equity_usd:.2f} USD here, no loss beyond a limit"


def doubt_about_worth(rule: str, *, intent: OrderIntent, facts: Facts, limits: Limits) -> Reason | None:
    """Return why the account's worth cannot be judged: unknown, or measured too long ago."""
    if facts.equity_usd is None or facts.day_start_equity_usd is None or facts.peak_equity_usd is None:
        return missing(
            rule,
            f"what the account {intent.account} is worth",
            fix="fund the account, and provide recent prices of everything that it holds",
        )
    stamps = [at for at in (facts.equity_price_at, facts.equity_marked_at) if at is not None]
    if not stamps or facts.now - min(stamps) <= timedelta(seconds=limits.max_reference_age_s):
        return None
    age_s = (facts.now - min(stamps)).total_seconds()
    return Reason(
        code=f"{rule}_stale",
        rule=rule,
        limit=str(limits.max_reference_age_s),
        attempted=f"{age_s:.0f}",
        overage=f"{age_s - limits.max_reference_age_s:.0f}",
        unit="s",
        fix="start the executor, which marks the account, and provide recent prices of what it holds",
    )


def loss_reason(
    rule: str, code: str, *, before_usd: Decimal, now_usd: Decimal, cap_bps: Decimal, fix: str
) -> Reason | None:
    """Return the refusal of a loss beyond its cap, in USD."""
    if not loss_beyond(before_usd=before_usd, now_usd=now_usd, cap_bps=cap_bps):
        return None
    return over_cap(
        rule,
        code,
        limit=before_usd * cap_bps / BPS_PER_UNIT,
        attempted=before_usd - now_usd,
        unit="USD",
        fix=fix,
    )
