"""What stops trading, wholly or but for sales, as an event of the journal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.when_to_invest.samples import NOW
from when_to_invest.breakers import TradingState
from when_to_invest.events import TradingStateChanged
from when_to_invest.values import Mode


def halted(at: datetime = NOW, **changes: Any) -> TradingStateChanged:
    """Return an operator's halt of the system, unless `changes` say otherwise."""
    given = {"scope": "system", "state": TradingState.HALTED, "by": "operator", "why": "drill"}
    return TradingStateChanged(at=at, **{"mode": Mode.REPLAY} | given | changes)


def reducing(at: datetime = NOW, **changes: Any) -> TradingStateChanged:
    """Return the executor's word that an account may only reduce, unless `changes` say otherwise."""
    given = {"scope": "account:main", "state": TradingState.REDUCING, "by": "executor"}
    return halted(at, **given | {"why": "worth too much less"} | changes)
