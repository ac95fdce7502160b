"""A caller's limits are everybody's or tighter."""

from __future__ import annotations

from decimal import Decimal

import pytest

from policies.caller_limits import limits_of_callers
from policies.limits import HARD_LIMITS
from when_to_invest.errors import ErrorCode, Fault


def test_a_caller_gets_its_own_tighter_limits_and_others_none() -> None:
    found = limits_of_callers(HARD_LIMITS, {"alice": {"max_order_notional_usd": "2000"}, "bob": {}})
    assert set(found) == {"alice"}
    assert found["alice"].max_order_notional_usd == Decimal(2000)
    assert found["alice"].max_turnover_24h_usd == HARD_LIMITS.max_turnover_24h_usd


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ({"max_order_notional_usd": "25001"}, ErrorCode.LOOSER_LIMIT),
        ({"allowed_instruments": ["DOGE"]}, ErrorCode.LOOSER_LIMIT),
        ({"max_order_notional_usd": "NaN"}, ErrorCode.BAD_CONFIG),
        ({"max_order_notional_usd": "-1"}, ErrorCode.BAD_CONFIG),
        ({"bypass": True}, ErrorCode.UNKNOWN_CONFIG_KEY),
    ],
)
def test_a_looser_limit_refuses_to_start_and_names_the_caller(
    setting: dict[str, object], code: ErrorCode
) -> None:
    with pytest.raises(Fault, match=r"callers\.alice") as error:
        limits_of_callers(HARD_LIMITS, {"alice": setting})  # type: ignore[dict-item]
    assert error.value.code is code
