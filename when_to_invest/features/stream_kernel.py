"""One bar in, every feature out: the compiled step that live and batch share.

Stage: features (pure). `step` moves a state vector and a ring of recent bars on by one bar;
`steps` is the same `step` in a loop, so a batch is bitwise what the stream was. Sources: Wilder
(1978) for RSI and average true range, Appel (1979) for MACD, Bollinger (2001), Parkinson (1980)
for the range, RiskMetrics (1996) for the decay of 0.94. Sums run on and are added up anew once
every 4096 bars; variances are kept as centred second moments, never as a difference of squares.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from when_to_invest.compiled import compiled, woven

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

Bar: TypeAlias = tuple[float, float, float, float, float]
"""Open, high, low, close, volume."""

RING = 256
_MASK = RING - 1
RESYNC = 4096
CLOSE, HIGH, LOW, VOLUME, RETURN, RANGE, UP = range(7)
ROWS = 7
"""Rows of the ring: one a quantity that windows look back on."""
COUNT = 0
EMA_12, EMA_26, EMA_50, EMA_200, SIGNAL, GAIN, LOSS, ATR, EWMA = range(1, 10)
SIZE = 35
"""Length of the state vector."""
_DECAY = 0.94
_SHRUNK = 1e-6
"""A second moment that has shrunk so far since it was last added up is mostly rounding."""
_STILL = 1e-12
"""A spread this small against its mean is rounding."""
_PARKINSON = 1.0 / (4.0 * math.log(2.0))


# Numba takes named tuples, not dataclasses.
class Window(NamedTuple):
    """The newest `length` values of a row of the ring, and where the state keeps what they give.

    A sum or an extreme takes one place; a spread three: mean, centred second moment, and the
    greatest moment since it was last added up.
    """

    row: int
    length: int
    slot: int


SUM_10, SUM_20 = Window(CLOSE, 10, 10), Window(CLOSE, 20, 11)
SUM_50, SUM_200 = Window(CLOSE, 50, 12), Window(CLOSE, 200, 13)
RANGES, VOLUMES, UPS = Window(RANGE, 21, 14), Window(VOLUME, 20, 15), Window(UP, 20, 16)
HIGH_14, LOW_14 = Window(HIGH, 14, 17), Window(LOW, 14, 18)
HIGH_20, LOW_20, PEAK = Window(HIGH, 20, 19), Window(LOW, 20, 20), Window(CLOSE, 252, 21)
SPREAD_10, SPREAD_21 = Window(RETURN, 10, 23), Window(RETURN, 21, 26)
SPREAD_63, BOLLINGER = Window(RETURN, 63, 29), Window(CLOSE, 20, 32)


@compiled
def _resum(ring: FloatArray, at: int, window: Window) -> float:
    total = 0.0
    for back in range(window.length):
        total += ring[window.row, (at - back) & _MASK]
    return total


@compiled
def _centre(state: FloatArray, ring: FloatArray, at: int, window: Window) -> None:
    """Write mean and centred second moment of a full window, from its values alone."""
    mean = _resum(ring, at, window) / window.length
    moment = 0.0
    for back in range(window.length):
        gap = ring[window.row, (at - back) & _MASK] - mean
        moment += gap * gap
    if moment <= window.length * (_STILL * mean) ** 2:
        moment = 0.0
    state[window.slot] = mean
    state[window.slot + 1] = moment
    state[window.slot + 2] = moment


@compiled
def _slide(state: FloatArray, ring: FloatArray, at: int, window: Window) -> None:
    """Move mean and centred second moment (Welford 1962) on by the newest value of a row."""
    newest = ring[window.row, at & _MASK]
    mean = state[window.slot]
    if at < window.length:
        moved = mean + (newest - mean) / (at + 1)
        moment = state[window.slot + 1] + (newest - mean) * (newest - moved)
    else:
        oldest = ring[window.row, (at - window.length) & _MASK]
        moved = mean + (newest - oldest) / window.length
        moment = state[window.slot + 1] + (newest - oldest) * (newest - moved + oldest - mean)
    greatest = max(state[window.slot + 2], moment)
    state[window.slot] = moved
    state[window.slot + 1] = moment
    state[window.slot + 2] = greatest
    if at >= window.length and (at % RESYNC == 0 or moment < _SHRUNK * greatest):
        _centre(state, ring, at, window)


@compiled
def _run_sum(state: FloatArray, ring: FloatArray, at: int, window: Window) -> None:
    """Move a running sum on by the newest value of a row."""
    newest = ring[window.row, at & _MASK]
    if at < window.length:
        state[window.slot] += newest
    elif at % RESYNC == 0:
        state[window.slot] = _resum(ring, at, window)
    else:
        state[window.slot] += newest - ring[window.row, (at - window.length) & _MASK]


@compiled
def _extreme(state: FloatArray, ring: FloatArray, at: int, window: Window) -> None:
    """Move a rolling extreme on: of row LOW the least, of any other the greatest value."""
    sign = -1.0 if window.row == LOW else 1.0
    newest = sign * ring[window.row, at & _MASK]
    known = sign * state[window.slot]
    if at == 0 or newest >= known:
        state[window.slot] = sign * newest
    elif at >= window.length and sign * ring[window.row, (at - window.length) & _MASK] == known:
        best = newest
        for back in range(1, window.length):
            best = max(best, sign * ring[window.row, (at - back) & _MASK])
        state[window.slot] = sign * best


@compiled
def _remember(state: FloatArray, ring: FloatArray, bar: Bar, at: int) -> None:
    """Enter a bar and what it says about itself into the ring."""
    here, close = at & _MASK, bar[3]
    before = ring[CLOSE, (at - 1) & _MASK] if at else close
    ring[HIGH, here] = bar[1]
    ring[LOW, here] = bar[2]
    ring[VOLUME, here] = bar[4]
    ring[RETURN, here] = close / before - 1.0
    reach = math.log(bar[1] / bar[2])
    ring[RANGE, here] = reach * reach * _PARKINSON
    ring[UP, here] = 1.0 if close > before else 0.0
    true_range = max(bar[1], before) - min(bar[2], before)
    gain = max(0.0, close - before)
    loss = max(0.0, before - close)
    share = 1.0 / min(at + 1.0, 14.0)
    state[ATR] += (true_range - state[ATR]) * share
    # The first bar has no change; the first change founds both means.
    share = 1.0 / min(max(at, 1.0), 14.0)
    state[GAIN] += (gain - state[GAIN]) * share
    state[LOSS] += (loss - state[LOSS]) * share
    square = ring[RETURN, here] * ring[RETURN, here]
    state[EWMA] = square if at <= 1 else _DECAY * state[EWMA] + (1.0 - _DECAY) * square
    ring[CLOSE, here] = close


@compiled
def _smooth(state: FloatArray, close: float, at: int) -> None:
    """Move the exponential means on; each starts at its first value."""
    if at == 0:
        state[EMA_12] = state[EMA_26] = state[EMA_50] = state[EMA_200] = close
    state[EMA_12] += (close - state[EMA_12]) * (2.0 / 13.0)
    state[EMA_26] += (close - state[EMA_26]) * (2.0 / 27.0)
    state[EMA_50] += (close - state[EMA_50]) * (2.0 / 51.0)
    state[EMA_200] += (close - state[EMA_200]) * (2.0 / 201.0)
    state[SIGNAL] += (state[EMA_12] - state[EMA_26] - state[SIGNAL]) * (2.0 / 10.0)


@compiled
def _gather(state: FloatArray, ring: FloatArray, at: int) -> None:
    """Move every window on."""
    _run_sum(state, ring, at, SUM_10)
    _run_sum(state, ring, at, SUM_20)
    _run_sum(state, ring, at, SUM_50)
    _run_sum(state, ring, at, SUM_200)
    _run_sum(state, ring, at, RANGES)
    _run_sum(state, ring, at, VOLUMES)
    _run_sum(state, ring, at, UPS)
    _slide(state, ring, at, SPREAD_10)
    _slide(state, ring, at, SPREAD_21)
    _slide(state, ring, at, SPREAD_63)
    _slide(state, ring, at, BOLLINGER)
    _extreme(state, ring, at, HIGH_14)
    _extreme(state, ring, at, LOW_14)
    _extreme(state, ring, at, HIGH_20)
    _extreme(state, ring, at, LOW_20)
    _extreme(state, ring, at, PEAK)


@woven
def _spread(moment: float, window: float) -> float:
    return math.sqrt(max(0.0, moment) / window)


@woven
def _against(part: float, whole: float, otherwise: float) -> float:
    return part / whole if whole > 0.0 else otherwise


@compiled
def _tell_prices(state: FloatArray, ring: FloatArray, at: int, out: FloatArray) -> None:
    close = ring[CLOSE, at & _MASK]
    out[0] = ring[RETURN, at & _MASK]
    out[1] = close / ring[CLOSE, (at - 21) & _MASK] - 1.0
    out[2] = close / ring[CLOSE, (at - 63) & _MASK] - 1.0
    out[3] = close / ring[CLOSE, (at - 126) & _MASK] - 1.0
    out[4] = close / ring[CLOSE, (at - 252) & _MASK] - 1.0
    out[5] = state[SUM_10.slot] / 10.0
    out[6] = state[SUM_20.slot] / 20.0
    out[7] = state[SUM_50.slot] / 50.0
    out[8] = state[SUM_200.slot] / 200.0
    out[9] = close / out[7] - 1.0
    out[10] = close / out[8] - 1.0
    out[11] = state[EMA_12]
    out[12] = state[EMA_26]
    out[13] = state[EMA_50]
    out[14] = state[EMA_200]
    out[15] = state[EMA_12] - state[EMA_26]
    out[16] = state[SIGNAL]
    out[17] = out[15] - out[16]
    out[18] = 100.0 * _against(state[GAIN], state[GAIN] + state[LOSS], 0.5)


@compiled
def _tell_risk(state: FloatArray, ring: FloatArray, at: int, out: FloatArray) -> None:
    close, volume = ring[CLOSE, at & _MASK], ring[VOLUME, at & _MASK]
    out[19] = state[ATR]
    out[20] = state[ATR] / close
    spread = _spread(state[BOLLINGER.slot + 1], 20.0)
    out[21] = state[BOLLINGER.slot] + 2.0 * spread
    out[22] = state[BOLLINGER.slot] - 2.0 * spread
    out[23] = _against(close - state[BOLLINGER.slot], spread, 0.0)
    out[24] = _spread(state[SPREAD_10.slot + 1], 9.0)
    out[25] = _spread(state[SPREAD_21.slot + 1], 20.0)
    out[26] = _spread(state[SPREAD_63.slot + 1], 62.0)
    out[27] = math.sqrt(state[EWMA])
    out[28] = math.sqrt(max(0.0, state[RANGES.slot]) / 21.0)
    out[29] = state[HIGH_20.slot]
    out[30] = state[LOW_20.slot]
    out[31] = state[PEAK.slot]
    out[32] = close / state[PEAK.slot] - 1.0
    out[33] = 100.0 * _against(close - state[LOW_14.slot], state[HIGH_14.slot] - state[LOW_14.slot], 0.5)
    out[34] = state[VOLUMES.slot] / 20.0
    out[35] = _against(volume, out[34], math.nan)
    out[36] = state[UPS.slot] / 20.0


@woven
def _is_sound(bar: Bar) -> bool:
    """Whether prices are positive and in order, and the volume is no negative number."""
    least, most = min(bar[0], bar[3]), max(bar[0], bar[3])
    is_ordered = 0.0 < bar[2] <= least and most <= bar[1] < math.inf
    return is_ordered and bar[0] == bar[0] and bar[3] == bar[3] and 0.0 <= bar[4] < math.inf


@compiled
def step(state: FloatArray, ring: FloatArray, bar: Bar, warm_ups: FloatArray, out: FloatArray) -> bool:
    """Move on by one bar and write every feature into `out`; a bar that is not sound changes nothing."""
    if not _is_sound(bar):
        return False
    at = int(state[COUNT])
    _remember(state, ring, bar, at)
    _smooth(state, bar[3], at)
    _gather(state, ring, at)
    _tell_prices(state, ring, at, out)
    _tell_risk(state, ring, at, out)
    state[COUNT] = at + 1.0
    for index in range(len(out)):
        if at + 1 < warm_ups[index]:
            out[index] = math.nan
    return True


@compiled
def steps(
    state: FloatArray, ring: FloatArray, bars: FloatArray, warm_ups: FloatArray, out: FloatArray
) -> int:
    """Take `step` for each row of `bars` (n, 5) into `out` (n, k); return the first unsound row, or n."""
    for row in range(len(bars)):
        bar = (bars[row, 0], bars[row, 1], bars[row, 2], bars[row, 3], bars[row, 4])
        if not step(state, ring, bar, warm_ups, out[row]):
            return row
    return len(bars)
