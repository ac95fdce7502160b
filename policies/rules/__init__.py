"""Every rule, in the fixed order in which reasons are returned. Stage: gate.

To add a rule: one file with a `RULE`, one line here, and its allow, refuse and property test.
"""

from __future__ import annotations

from typing import Final

from policies.rule import HoldRule, Rule
from policies.rules import (
    approvals,
    chain_writes,
    daily_loss,
    drawdown,
    duplicate,
    execution_worked,
    gross_exposure,
    in_flight,
    instrument_allowed,
    instrument_known,
    intent_age,
    lot_size,
    market_halt,
    message_rate,
    min_notional,
    mode,
    net_exposure,
    open_orders,
    order_notional,
    order_quantity,
    position,
    price_band,
    price_collar,
    print_anomaly,
    proposer_rate,
    reference_age,
    reference_known,
    repeated_executions,
    sane_amounts,
    self_trade,
    split_orders,
    spot_cash,
    spot_holdings,
    tick_size,
    trading_state,
    turnover,
    unresolved_orders,
    venue_allowed,
    venue_status,
)
from when_to_invest.intents import ChainIntent, OrderIntent

ORDER_RULES: Final[tuple[Rule[OrderIntent], ...]] = (
    sane_amounts.RULE,
    mode.RULE,
    intent_age.RULE,
    trading_state.RULE,
    unresolved_orders.RULE,
    venue_allowed.RULE,
    execution_worked.RULE,
    instrument_allowed.RULE,
    instrument_known.RULE,
    reference_known.RULE,
    reference_age.RULE,
    price_collar.RULE,
    lot_size.RULE,
    tick_size.RULE,
    min_notional.RULE,
    order_quantity.RULE,
    order_notional.RULE,
    open_orders.RULE,
    position.RULE,
    gross_exposure.RULE,
    spot_cash.RULE,
    spot_holdings.RULE,
    turnover.RULE,
    duplicate.RULE,
    message_rate.RULE,
    proposer_rate.RULE,
    repeated_executions.RULE,
    self_trade.RULE,
    net_exposure.RULE,
    daily_loss.RULE,
    drawdown.RULE,
    venue_status.RULE,
    price_band.RULE,
    market_halt.RULE,
    print_anomaly.RULE,
    in_flight.RULE,
)
ORDER_HOLD_RULES: Final[tuple[HoldRule[OrderIntent], ...]] = (approvals.RULE, split_orders.RULE)
CHAIN_RULES: Final[tuple[Rule[ChainIntent], ...]] = (chain_writes.RULE,)
CHAIN_HOLD_RULES: Final[tuple[HoldRule[ChainIntent], ...]] = ()
AnyRule = Rule[OrderIntent] | HoldRule[OrderIntent] | Rule[ChainIntent] | HoldRule[ChainIntent]
RULES: Final[tuple[AnyRule, ...]] = (*ORDER_RULES, *ORDER_HOLD_RULES, *CHAIN_RULES, *CHAIN_HOLD_RULES)
