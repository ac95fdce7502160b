"""Hard limits only tighten; everything else refuses to start, naming the key."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from policies.limit_notes import limit_notes
from policies.limits import HARD_LIMITS, Limits, limit_text, operator_of, tighten
from policies.tightening import Tighten
from tests.strategies.spoilers import tightened
from when_to_invest.errors import ErrorCode, Fault

NUMBERS = [n for n in Limits.model_fields if operator_of(n) in {Tighten.SMALLER, Tighten.LARGER}]
LISTS = [n for n in Limits.model_fields if n not in NUMBERS]


def fault_of(settings: dict[str, Any], hard: Limits = HARD_LIMITS) -> Fault:
    with pytest.raises(Fault) as caught:
        tighten(hard, settings)
    return caught.value


def one_step(name: str, *, looser: bool) -> str | int:
    """Return the hard value moved by one, up or down."""
    hard = getattr(HARD_LIMITS, name)
    is_up = looser is (operator_of(name) is Tighten.SMALLER)
    moved = hard + 1 if is_up else hard - 1
    return moved if isinstance(moved, int) else str(moved)


def test_without_settings_the_hard_limits_hold() -> None:
    assert tighten(HARD_LIMITS, {}) == HARD_LIMITS
    assert tighten(HARD_LIMITS, {}).digest() == HARD_LIMITS.digest()


def test_every_limit_says_how_it_tightens_what_it_means_and_its_unit() -> None:
    for note in limit_notes(HARD_LIMITS):
        assert note.meaning
        assert note.unit
        metadata = Limits.model_fields[note.name].metadata
        assert sum(isinstance(item, Tighten) for item in metadata) == 1


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_can_be_set_to_its_hard_value(name: str) -> None:
    hard = getattr(HARD_LIMITS, name)
    assert tighten(HARD_LIMITS, {name: hard if isinstance(hard, int) else str(hard)}) == HARD_LIMITS


@pytest.mark.parametrize("name", [n for n in NUMBERS if getattr(HARD_LIMITS, n) > 0])
def test_a_number_can_be_made_tighter(name: str) -> None:
    wanted = one_step(name, looser=False)
    changed = tighten(HARD_LIMITS, {name: wanted})
    assert getattr(changed, name) == Decimal(wanted)
    assert changed.digest() != HARD_LIMITS.digest()


@pytest.mark.parametrize("name", NUMBERS)
def test_a_looser_number_refuses_and_names_key_and_hard_value(name: str) -> None:
    fault = fault_of({name: one_step(name, looser=True)})
    assert fault.code in {ErrorCode.LOOSER_LIMIT, ErrorCode.BAD_CONFIG}
    if getattr(HARD_LIMITS, name) > 0:
        assert fault.code is ErrorCode.LOOSER_LIMIT
    assert name in fault.message
    assert limit_text(getattr(HARD_LIMITS, name)) in fault.message


def unusable() -> Iterator[tuple[str, Any]]:
    for name in NUMBERS:
        for value in ("NaN", "nan", "-NaN", "Infinity", "-1", "", "ten", [], ["1"], True, False, -1, "1e400"):
            yield name, value
        yield name, float("nan")
        yield name, 1.5
        yield name, None
    for name in LISTS:
        for value in ("SPX", 1, True, None, [1], [["SPX"]], {"SPX": 1}):
            yield name, value


@pytest.mark.parametrize(("name", "value"), list(unusable()))
def test_what_is_no_value_of_its_kind_refuses(name: str, value: Any) -> None:
    fault = fault_of({name: value})
    assert fault.code is ErrorCode.BAD_CONFIG
    assert name in fault.message


@pytest.mark.parametrize(
    "name",
    ["max_order_notional", "Max_order_notional_usd", "max_order_notional_usd ", "", "bypass", "digest"],
)
def test_an_unknown_key_refuses(name: str) -> None:
    assert fault_of({name: 1}).code is ErrorCode.UNKNOWN_CONFIG_KEY


def test_a_shorter_allow_list_is_taken_and_an_empty_one_means_none() -> None:
    assert tighten(HARD_LIMITS, {"allowed_instruments": ["SPX"]}).allowed_instruments == {"SPX"}
    assert tighten(HARD_LIMITS, {"allowed_instruments": []}).allowed_instruments == frozenset()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_instruments", ["SPX", "DOGE"]),
        ("allowed_instruments", ["*"]),
        ("allowed_instruments", ["spx"]),
        ("allowed_venues", ["paper", "bitfinex"]),
        ("allowed_modes", ["live"]),
    ],
)
def test_a_name_that_the_hard_list_lacks_refuses(name: str, value: list[str]) -> None:
    fault = fault_of({name: value})
    assert fault.code is ErrorCode.LOOSER_LIMIT
    assert name in fault.message


def test_deny_lists_only_grow() -> None:
    once = tighten(HARD_LIMITS, {"denied_instruments": ["GLD"]})
    assert tighten(once, {"denied_instruments": ["SLV"]}).denied_instruments == {"GLD", "SLV"}
    assert tighten(once, {"denied_instruments": []}).denied_instruments == {"GLD"}


def test_a_name_that_no_instrument_can_have_refuses() -> None:
    fault = fault_of({"denied_instruments": ["not an id"]})
    assert fault.code is ErrorCode.BAD_CONFIG
    assert "denied_instruments" in fault.message


def test_a_duplicate_window_longer_than_the_book_remembers_refuses() -> None:
    fault = fault_of({"duplicate_window_s": 86_401})
    assert fault.code is ErrorCode.BAD_CONFIG


@given(tightened(), st.data())
def test_tightening_twice_never_loosens(limits: Limits, data: st.DataObject) -> None:
    tighter = data.draw(tightened(limits))
    for name in Limits.model_fields:
        before, after = getattr(limits, name), getattr(tighter, name)
        match operator_of(name):
            case Tighten.SMALLER | Tighten.INTERSECTION:
                assert after <= before
            case Tighten.LARGER | Tighten.UNION:
                assert after >= before


@given(tightened())
def test_limits_travel_as_json_with_one_digest(limits: Limits) -> None:
    assert Limits.model_validate_json(limits.canonical()) == limits
    assert Limits.model_validate_json(limits.canonical()).digest() == limits.digest()


def test_limits_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        HARD_LIMITS.max_order_notional_usd = Decimal(10**9)
    with pytest.raises(AttributeError):
        HARD_LIMITS.allowed_instruments.add("DOGE")  # type: ignore[attr-defined]


def test_the_hard_limits_are_the_ones_that_were_agreed() -> None:
    numbers = {name: limit_text(getattr(HARD_LIMITS, name)) for name in NUMBERS}
    assert numbers == {
        "max_order_quantity": "100000",
        "max_order_notional_usd": "25000",
        "max_open_orders_usd": "50000",
        "max_position_notional_usd": "60000",
        "max_gross_exposure_usd": "100000",
        "max_net_position_usd": "60000",
        "max_net_exposure_usd": "100000",
        "max_daily_loss_bps": "500",
        "max_drawdown_bps": "2000",
        "max_turnover_24h_usd": "100000",
        "max_price_band_bps": "2000",
        "market_halt_bps": "700",
        "max_print_deviation_bps": "1000",
        "price_collar_bps": "200",
        "passive_collar_bps": "2000",
        "fee_reserve_bps": "20",
        "max_reference_age_s": "432000",
        "max_clock_skew_s": "5",
        "max_messages_per_minute": "10",
        "max_messages_per_hour": "60",
        "max_proposer_messages_per_minute": "20",
        "max_proposer_messages_per_hour": "120",
        "duplicate_window_s": "300",
        "max_repeated_executions": "20",
        "max_unresolved_orders": "0",
        "max_in_flight_orders": "50",
        "approval_notional_usd": "10000",
        "second_approval_notional_usd": "20000",
        "approval_total_24h_usd": "20000",
        "second_approval_total_24h_usd": "40000",
        "approver_quorum": "2",
        "hold_expiry_s": "86400",
        "max_intent_age_s": "86400",
        "envelope_ttl_s": "900",
    }


def test_lists_read_in_order_and_an_empty_one_reads_none() -> None:
    assert limit_text(frozenset({"B", "A"})) == "A, B"
    assert limit_text(frozenset()) == "none"


def test_nothing_that_is_live_is_allowed() -> None:
    assert HARD_LIMITS.allowed_venues == {"paper", "binance", "coinbase", "kraken"}
    assert "live" not in HARD_LIMITS.allowed_modes


def test_a_limit_is_written_as_people_write_numbers() -> None:
    assert limit_text(Decimal("1E+5")) == "100000"
    assert limit_text(Decimal("2.50")) == "2.5"
    assert limit_text(frozenset({"b", "a"})) == "a, b"
    assert limit_text(frozenset()) == "none"
    assert limit_text(7) == "7"
