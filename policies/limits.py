"""The hard limits, and the only way to change them: tighter.

Stage: gate. Each limit states as data how it can be tightened. Configuration that is looser,
not a number, of another type or unknown refuses to start, naming the key and the hard value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Final, assert_never

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo

from policies.tightening import (
    DAY_S,
    IN_ORDER,
    BpsCap,
    CoolDown,
    CountCap,
    LimitSetting,
    QuantityCap,
    Quorum,
    Reserve,
    SecondsCap,
    Tighten,
    UsdCap,
)
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import InstrumentId
from when_to_invest.money import decimal_text, exact_decimal
from when_to_invest.values import Mode, Name, Value


class Limits(Value):
    """Everything the rules compare with; an empty allow-list allows nothing."""

    allowed_modes: Annotated[frozenset[Mode], IN_ORDER, Tighten.INTERSECTION] = Field(
        description="modes in which anything may be traded"
    )
    allowed_venues: Annotated[frozenset[Name], IN_ORDER, Tighten.INTERSECTION] = Field(
        description="venues an order may go to"
    )
    allowed_instruments: Annotated[frozenset[InstrumentId], IN_ORDER, Tighten.INTERSECTION] = Field(
        description="instruments an order may name"
    )
    denied_instruments: Annotated[frozenset[InstrumentId], IN_ORDER, Tighten.UNION] = Field(
        description="instruments no order may name, whatever else allows them"
    )
    max_order_quantity: QuantityCap = Field(description="base units in one order")
    max_order_notional_usd: UsdCap = Field(
        description="one order at the worse of its limit price and the reference"
    )
    max_open_orders_usd: UsdCap = Field(
        description="all orders that may still trade, this one included, at their worst prices"
    )
    max_position_notional_usd: UsdCap = Field(
        description="one instrument over all accounts, if every open buy filled"
    )
    max_gross_exposure_usd: UsdCap = Field(
        description="all instruments and accounts, if every open buy filled"
    )
    max_net_position_usd: UsdCap = Field(
        description="one instrument over all accounts, longs less shorts, if every open buy filled"
    )
    max_net_exposure_usd: UsdCap = Field(
        description="all instruments and accounts, longs less shorts, if every open buy filled"
    )
    max_daily_loss_bps: BpsCap = Field(
        description="what an account may lose of its worth at the day's start (UTC) before it only reduces"
    )
    max_drawdown_bps: BpsCap = Field(
        description="how far an account may fall below its highest worth before it only reduces"
    )
    max_turnover_24h_usd: UsdCap = Field(
        description="what trades of all accounts' orders sealed in any 24 hours, and what still may"
    )
    max_price_band_bps: BpsCap = Field(
        description="how far a session may have moved before buys wait for a calmer one, at most"
    )
    market_halt_bps: BpsCap = Field(
        description="how far the whole market may have fallen in a session before buys stop"
    )
    max_print_deviation_bps: BpsCap = Field(
        description="how far the venue's last trade may lie outside the independent session's range"
    )
    price_collar_bps: BpsCap = Field(
        description="how far a price may be worse than the independent reference"
    )
    passive_collar_bps: BpsCap = Field(
        description="how far a price may be better than the independent reference"
    )
    fee_reserve_bps: Reserve = Field(description="cash kept for fees on top of every buy")
    max_reference_age_s: SecondsCap = Field(description="age of the reference price and of every mark")
    max_clock_skew_s: SecondsCap = Field(description="how far in the future a stamp may lie")
    max_messages_per_minute: CountCap = Field(
        description="a proposer's proposals and everybody's sealed orders for one account, venue and "
        "instrument in 60 seconds"
    )
    max_messages_per_hour: CountCap = Field(description="the same in 3600 seconds")
    max_proposer_messages_per_minute: CountCap = Field(description="proposals of one proposer in 60 seconds")
    max_proposer_messages_per_hour: CountCap = Field(description="proposals of one proposer in 3600 seconds")
    duplicate_window_s: CoolDown = Field(
        description="how long the same proposer may not repeat instrument, side and quantity"
    )
    max_repeated_executions: CountCap = Field(
        description="orders of one instrument and side in 3600 seconds before people must re-enable it"
    )
    max_unresolved_orders: CountCap = Field(
        description="orders of unknown outcome in an instrument before it may only shrink"
    )
    max_in_flight_orders: CountCap = Field(
        description="sealed orders for one venue, this one included, that no executor has taken up"
    )
    approval_notional_usd: UsdCap = Field(description="above it, one person must sign")
    second_approval_notional_usd: UsdCap = Field(description="above it, two people must sign")
    approval_total_24h_usd: UsdCap = Field(
        description="above it, one person must sign: all orders of 24 hours that nobody has signed"
    )
    second_approval_total_24h_usd: UsdCap = Field(
        description="above it, two people must sign: all orders of 24 hours that fewer than two have signed"
    )
    approver_quorum: Quorum = Field(
        description="people who must sign to change approvers or sealing keys, or to go on after a halt"
    )
    hold_expiry_s: SecondsCap = Field(description="how long a held intent waits for signatures")
    max_intent_age_s: SecondsCap = Field(description="age of an intent when it is judged")
    envelope_ttl_s: SecondsCap = Field(description="how long the executor may act on an envelope")

    def digest(self) -> str:
        """Return the SHA-256 of the canonical form, computed once for equal limits."""
        return _digest_of(self)


@lru_cache(maxsize=64)
def _digest_of(limits: Limits) -> str:
    return hashlib.sha256(limits.canonical()).hexdigest()


HARD_LIMITS: Final = Limits(
    allowed_modes=frozenset({Mode.REPLAY, Mode.PAPER}),
    allowed_venues=frozenset({"paper", "binance", "coinbase", "kraken"}),
    allowed_instruments=frozenset(
        {"SPX", "IXIC", "SPY", "QQQ", "DIA", "IWM", "VTI", "VOO", "VT", "EFA", "EEM"}
        | {"GLD", "SLV", "TLT", "IEF", "SHY", "AGG", "BND", "LQD", "HYG", "VNQ"}
        | {"BTC/USDT", "ETH/USDT", "BTC/USD", "ETH/USD", "BTC-USD", "ETH-USD"}
    ),
    denied_instruments=frozenset(),
    max_order_quantity=Decimal(100_000),
    max_order_notional_usd=Decimal(25_000),
    max_open_orders_usd=Decimal(50_000),
    max_position_notional_usd=Decimal(60_000),
    max_gross_exposure_usd=Decimal(100_000),
    max_net_position_usd=Decimal(60_000),
    max_net_exposure_usd=Decimal(100_000),
    max_daily_loss_bps=Decimal(500),
    max_drawdown_bps=Decimal(2_000),
    max_turnover_24h_usd=Decimal(100_000),
    max_price_band_bps=Decimal(2_000),
    market_halt_bps=Decimal(700),
    max_print_deviation_bps=Decimal(1_000),
    price_collar_bps=Decimal(200),
    passive_collar_bps=Decimal(2_000),
    fee_reserve_bps=Decimal(20),
    max_reference_age_s=5 * DAY_S,
    max_clock_skew_s=5,
    max_messages_per_minute=10,
    max_messages_per_hour=60,
    max_proposer_messages_per_minute=20,
    max_proposer_messages_per_hour=120,
    duplicate_window_s=300,
    max_repeated_executions=20,
    max_unresolved_orders=0,
    max_in_flight_orders=50,
    approval_notional_usd=Decimal(10_000),
    second_approval_notional_usd=Decimal(20_000),
    approval_total_24h_usd=Decimal(20_000),
    second_approval_total_24h_usd=Decimal(40_000),
    approver_quorum=2,
    hold_expiry_s=DAY_S,
    max_intent_age_s=DAY_S,
    envelope_ttl_s=900,
)
"""Compiled into every process that judges. Nothing loosens them but a new release."""


def tighten(hard: Limits, settings: Mapping[str, LimitSetting]) -> Limits:
    """Return `hard` tightened by `settings` (limit name to wanted value).

    Raises:
        Fault: `unknown_config_key`; `looser_limit`; `bad_config` when a value is not of the
            limit's kind. Each names the key and the hard value.
    """
    wanted: dict[str, object] = {}
    for name, setting in settings.items():
        if name not in Limits.model_fields:
            raise Fault(
                ErrorCode.UNKNOWN_CONFIG_KEY,
                f"limits.{name} is no limit",
                fix=f"remove it, or use one of: {', '.join(Limits.model_fields)}",
            )
        wanted[name] = _tightened(hard, name, setting)
    try:
        return Limits.model_validate({**dict(hard), **wanted})
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise _unusable(hard, name, settings[name]) from error


def operator_of(name: str) -> Tighten:
    """Return how the limit `name` is tightened."""
    return next(item for item in _field(name).metadata if isinstance(item, Tighten))


def limit_text(value: object) -> str:
    """Return a limit's value as people read it; an empty list reads `none`."""
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "none"
    return decimal_text(value) if isinstance(value, Decimal) else str(value)


def _field(name: str) -> FieldInfo:
    return Limits.model_fields[name]


def _tightened(hard: Limits, name: str, setting: LimitSetting) -> object:
    present = getattr(hard, name)
    operator = operator_of(name)
    match operator:
        case Tighten.SMALLER | Tighten.LARGER:
            wanted = _number(hard, name, setting)
            is_looser = wanted > present if operator is Tighten.SMALLER else wanted < present
            if is_looser:
                raise _looser(hard, name, setting)
            return wanted
        case Tighten.INTERSECTION:
            names = _names(hard, name, setting)
            if not names <= present:
                raise _looser(hard, name, sorted(names - present))
            return frozenset(item for item in present if item in names)
        case Tighten.UNION:
            return present | _names(hard, name, setting)
        case _:
            assert_never(operator)


def _number(hard: Limits, name: str, setting: LimitSetting) -> Decimal | int:
    if isinstance(getattr(hard, name), int):
        if type(setting) is not int or setting < 0:
            raise _unusable(hard, name, setting)
        return setting
    try:
        number = exact_decimal(setting)
    except ValueError as error:
        raise _unusable(hard, name, setting) from error
    if number < 0:
        raise _unusable(hard, name, setting)
    return number


def _names(hard: Limits, name: str, setting: LimitSetting) -> frozenset[str]:
    if not isinstance(setting, list) or not all(isinstance(item, str) for item in setting):
        raise _unusable(hard, name, setting)
    return frozenset(setting)


def _looser(hard: Limits, name: str, setting: object) -> Fault:
    value = limit_text(getattr(hard, name))
    return Fault(
        ErrorCode.LOOSER_LIMIT,
        f"limits.{name} = {setting!r} is looser than the hard limit {value}",
        fix=f"remove limits.{name}, or choose a value at least as tight as {value}",
    )


def _unusable(hard: Limits, name: str, setting: object) -> Fault:
    value = limit_text(getattr(hard, name))
    return Fault(
        ErrorCode.BAD_CONFIG,
        f"limits.{name} = {setting!r} cannot be used; the hard limit is {value}",
        fix=f"give a value of the same kind that is at least as tight as {value}",
    )
