"""Trusts a venue no further once a trade shows that it does not keep to what was agreed.

Stage: after the trade was recorded, which it is whatever it shows.
"""

from __future__ import annotations

from executor.diary import Diary
from executor.log import Log
from executor.venues.port import Trade
from when_to_invest import events as ev
from when_to_invest.breakers import TradingState


async def demand_limit(diary: Diary, sent: ev.SendIntended, trade: Trade) -> None:
    """Halt the venue of a trade beyond the limit of its order."""
    if (sent.limit_price_usd - trade.price_usd) * sent.side.sign < 0:
        await diary.tighten(
            f"venue:{sent.venue}",
            state=TradingState.HALTED,
            why=f"trade {trade.trade_id} is beyond the limit of its order",
        )


async def demand_price_of_fee(diary: Diary, sent: ev.SendIntended, trade: Trade, *, log: Log) -> None:
    """Halt the venue of a fee whose worth nobody knows; it is booked as 0, and as unknown."""
    charge = trade.charge
    if charge is None or charge.is_priced:
        return
    why = f"the fee of trade {trade.trade_id} is {charge.units} {charge.asset}, which has no price"
    log.say("fee_unpriced", at=diary.now(), venue=sent.venue, trade_id=trade.trade_id)
    await diary.tighten(f"venue:{sent.venue}", state=TradingState.HALTED, why=why)
