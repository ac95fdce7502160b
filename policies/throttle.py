"""The throttle of repeated orders: how it says that it tripped, and what it leaves open. Pure.

Stage: executor. It stops what comes next, not what it let through: people must look before
another order of that instrument and side is sent, and the last one allowed is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from policies.losses import TRIPPED_BY
from when_to_invest.breakers import Halt, TradingState, scopes_of
from when_to_invest.intents import OrderIntent, Side
from when_to_invest.portfolio import AccountBook

_WHY: Final = re.compile(r"\d+ (buy|sell) orders in an hour, \d+ are allowed")


def throttle_why(*, count: int, side: Side, most: int) -> str:
    """Return the reason that the throttle gives when it trips."""
    return f"{count} {side.value} orders in an hour, {most} are allowed"


def outlives_throttle(
    intent: OrderIntent, book: AccountBook, latches: Iterable[Halt], *, sealed_at: datetime
) -> bool:
    """Return whether an order may stay open: nothing reduces its scopes but the throttle, tripped later.

    Any other halt that covers it, journalled or of `latches`, ends it.
    """
    scopes = scopes_of(account=intent.account, venue=intent.venue, instrument=intent.instrument)
    covering = [halt for halt in (*book.standing.standing(), *latches) if halt.scope in scopes]
    return bool(covering) and all(_is_throttle(halt) and sealed_at <= halt.at for halt in covering)


def _is_throttle(halt: Halt) -> bool:
    is_own = halt.by == TRIPPED_BY and not halt.latch_id
    return is_own and halt.state is TradingState.REDUCING and _WHY.fullmatch(halt.why) is not None
