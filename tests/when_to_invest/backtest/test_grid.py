"""A grid is read exactly, or refused."""

from __future__ import annotations

import pytest

from when_to_invest.backtest.grid import Axis, configurations, parse_axis
from when_to_invest.errors import ErrorCode, Fault


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("slow=100:200:50", (100, 150, 200)),
        ("slow=100:199:50", (100, 150)),
        ("band_ratio=0.1:0.3:0.1", (0.1, 0.2, 0.3)),
        ("band_ratio=0:0.02:0.01", (0, 0.01, 0.02)),
        ("fast=5,2,5", (5, 2)),
        ("fast=1:1:1", (1,)),
    ],
)
def test_values_are_read_without_rounding(text: str, values: tuple[float, ...]) -> None:
    axis = parse_axis(text)
    assert axis.values == values
    assert [type(value) for value in axis.values] == [type(value) for value in values]


@pytest.mark.parametrize(
    "text",
    ["slow", "slow=", "=1:2:1", "slow=1:2", "slow=2:1:1", "slow=1:2:0", "slow=1:2:-1", "slow=0:1:0.0001",
     "slow=nan", "slow=1e3", "SLOW=1", "slow=1,", "slow=1:9999999999:1"],
)  # fmt: skip
def test_what_is_no_axis_is_refused(text: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_axis(text)
    assert caught.value.code is ErrorCode.BAD_ARGUMENT


def test_every_combination_stands_once() -> None:
    found = configurations([Axis("fast", (1, 2)), Axis("slow", (10, 20, 30))])
    assert [str(each) for each in found][:4] == [
        "fast=1 slow=10",
        "fast=1 slow=20",
        "fast=1 slow=30",
        "fast=2 slow=10",
    ]
    assert len({each.settings for each in found}) == 6


@pytest.mark.parametrize(
    "axes",
    [
        [],
        [Axis("fast", (1,)), Axis("fast", (2,))],
        [Axis("fast", tuple(range(100))), Axis("slow", tuple(range(51)))],
    ],
    ids=["none", "twice", "too many"],
)
def test_a_grid_that_cannot_be_meant_is_refused(axes: list[Axis]) -> None:
    with pytest.raises(Fault):
        configurations(axes)
