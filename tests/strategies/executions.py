"""Execution plans of every kind, sound by construction."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from when_to_invest.execution import (
    Execution,
    IcebergPlan,
    ImmediatePlan,
    PegPlan,
    PovPlan,
    ShortfallPlan,
    TwapPlan,
    VwapPlan,
)

D = Decimal
collars_bps = st.integers(1, 1_000).map(D)
durations_s = st.integers(60, 86_400)
slice_counts = st.integers(1, 60)
curves = st.lists(st.integers(0, 50), min_size=1, max_size=40).filter(any).map(lambda row: tuple(map(D, row)))

twaps = st.builds(TwapPlan, collar_bps=collars_bps, duration_s=durations_s, slices=slice_counts)
vwaps = st.builds(VwapPlan, collar_bps=collars_bps, duration_s=durations_s, volume_curve=curves)
shortfalls = st.builds(
    ShortfallPlan,
    collar_bps=collars_bps,
    duration_s=durations_s,
    slices=slice_counts,
    urgency=st.decimals(0, 20, places=3),
)
povs = st.builds(
    PovPlan,
    collar_bps=collars_bps,
    duration_s=durations_s,
    participation_ratio=st.decimals(D("0.001"), D("0.3"), places=3),
)
pegs = st.builds(
    PegPlan,
    collar_bps=collars_bps,
    duration_s=durations_s,
    offset_bps=st.integers(0, 100).map(D),
    reprice_after_s=st.integers(1, 600),
    most_reprices=st.integers(0, 20),
)
immediates = st.builds(ImmediatePlan, collar_bps=collars_bps)


def icebergs(quantity: Decimal) -> st.SearchStrategy[IcebergPlan]:
    """Return icebergs of an order of `quantity` that show between a fiftieth and all of it."""
    shown = st.integers(1, 50).map(lambda parts: max(quantity / parts, D("0.01")).quantize(D("0.01")))
    return st.builds(
        IcebergPlan,
        collar_bps=collars_bps,
        duration_s=durations_s,
        display_quantity=shown.filter(lambda part: part <= quantity),
    )


def executions(quantity: Decimal) -> st.SearchStrategy[Execution]:
    """Return plans of every kind that fit an order of `quantity` base units."""
    return st.one_of(immediates, twaps, vwaps, shortfalls, povs, pegs, icebergs(quantity))
