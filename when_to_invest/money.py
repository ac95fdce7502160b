"""Money and quantities as `Decimal`: parsed once at the edge, never a float.

Units stand in names (`notional_usd`, `fee_bps`, `quantity`). A ratio is a plain number
where 1 means the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer
from pydantic_core import core_schema

from when_to_invest.errors import ErrorCode, Fault

CENT: Final = Decimal("0.01")
BPS_PER_UNIT: Final = Decimal(10_000)
LARGEST_AMOUNT: Final = Decimal("1e15")
"""Absurdity bound: nothing in this system is worth, or counts, more."""
MAX_DECIMALS: Final = 18
FINEST_STEP: Final = Decimal(1).scaleb(-MAX_DECIMALS)
"""The smallest amount that can be told apart."""
_EXACT: Final = Context(prec=80)
"""Wide enough for any amount counted in steps of any amount: nothing is rounded up."""


def decimal_text(value: Decimal) -> str:
    """Return `value` without exponent or trailing zeros: `100`, `0.0015`.

    Raises:
        ValueError: `value` is NaN or infinite.
    """
    if not value.is_finite():
        raise ValueError(f"{value} is not an amount")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def exact_decimal(value: object) -> Decimal:
    """Parse text, an int or a Decimal; refuse floats, NaN, infinities and absurd sizes.

    Raises:
        ValueError: `value` is no finite decimal number within ±1e15 and 18 decimals.
    """
    if isinstance(value, str):
        return _exact_text(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("an amount must be text such as '100.50'")  # noqa: TRY004 - pydantic reads ValueError
    return _exact(value)


@lru_cache(maxsize=16_384)
def _exact_text(text: str) -> Decimal:
    """Parse text; the same amounts come again and again when a journal is read."""
    return _exact(text.strip())


def _exact(value: str | int | Decimal) -> Decimal:
    try:
        parsed = Decimal(value)
    except InvalidOperation as error:
        raise ValueError("an amount must be text such as '100.50'") from error
    if not parsed.is_finite():
        raise ValueError("an amount must be finite")
    if abs(parsed) > LARGEST_AMOUNT:
        raise ValueError(f"an amount must not exceed {LARGEST_AMOUNT:f}")
    exponent = parsed.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > MAX_DECIMALS:
        raise ValueError(f"an amount has at most {MAX_DECIMALS} decimals")
    return parsed


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("must be greater than zero")
    return value


def _not_negative(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError("must not be negative")
    return value


def _any(value: Decimal) -> Decimal:
    return value


class _Amount:
    """What pydantic is to do with an amount. As JSON each text is parsed and checked once."""

    def __init__(self, check: Callable[[Decimal], Decimal]) -> None:
        self._check = check
        self._of_text = lru_cache(maxsize=16_384)(lambda text: check(_exact_text(text)))

    def __get_pydantic_core_schema__(
        self, source: type[Decimal], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        exact = core_schema.no_info_before_validator_function(exact_decimal, handler(source))
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_plain_validator_function(self._from_json),
            python_schema=core_schema.no_info_after_validator_function(self._check, exact),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        return handler(schema if handler.mode == "serialization" else core_schema.decimal_schema())

    def _from_json(self, value: object) -> Decimal:
        return self._of_text(value) if type(value) is str else self._check(exact_decimal(value))


_AS_TEXT: Final = PlainSerializer(decimal_text, return_type=str)
ExactDecimal = Annotated[Decimal, _Amount(_any), _AS_TEXT]
"""A finite Decimal that travels as text."""
PositiveDecimal = Annotated[Decimal, _Amount(_positive), _AS_TEXT]
NonNegativeDecimal = Annotated[Decimal, _Amount(_not_negative), _AS_TEXT]


def parse_amount_usd(text: str, *, name: str) -> Decimal:
    """Parse a positive USD amount that a person typed.

    Raises:
        Fault: `bad_amount` when it is not a positive finite number below 1e15.
    """
    try:
        amount = exact_decimal(text)
    except ValueError as error:
        raise Fault(
            ErrorCode.BAD_AMOUNT, f"{name} = {text!r}: {error}", fix=f"give {name} in USD, such as 10000"
        ) from error
    if amount <= 0:
        raise Fault(
            ErrorCode.BAD_AMOUNT,
            f"{name} = {text!r} is not greater than zero",
            fix=f"give {name} in USD, such as 10000",
        )
    return amount


def floor_to_step(value: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of `step` that is not above `value` (both ≥ 0)."""
    return _EXACT.multiply(_EXACT.divide_int(value, step), step)


def money_from_float(value: float, *, step: Decimal) -> Decimal:
    """Convert at the door of model mathematics: `value` floored to a multiple of `step`.

    Raises:
        ValueError: `value` is NaN or infinite.
    """
    exact = Decimal(repr(float(value)))
    if not exact.is_finite():
        raise ValueError(f"{value} is not an amount")
    return floor_to_step(exact, step)


def share_usd(budget_usd: Decimal, fraction: float) -> Decimal:
    """Return `fraction` (0 to 1) of a budget in whole cents, rounded down.

    Raises:
        ValueError: `fraction` is not within 0 and 1.
    """
    if not 0.0 <= fraction <= 1.0:
        raise ValueError("a fraction of a budget lies between 0 and 1")
    return floor_to_step(budget_usd * Decimal(repr(fraction)), CENT)
