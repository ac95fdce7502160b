"""Features bar by bar, live: the same numbers that a batch gives, bit for bit.

Stage: features (pure). Holds the state of one instrument; a snapshot of it can be written down
and taken up again elsewhere. Never repairs a bar: an unsound one is refused and changes nothing.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Self

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.features.stream_layout import NAMES, PERIODS, RING, warm_ups

if TYPE_CHECKING:
    from when_to_invest.market import BarSeries, FloatArray

_LAYOUT: Final = hashlib.sha256(repr((PERIODS, RING, 1)).encode()).digest()
"""Changes with the table of features, so that a state of another layout is never taken up."""


class FeatureStream:
    """The features of one instrument after each bar pushed so far; `count` of them.

    Without `has_range` or `has_volume` the features that need those columns stay NaN; push the
    close for the prices that are missing, and 0 for the volume.
    """

    def __init__(self, *, has_range: bool = True, has_volume: bool = True) -> None:
        import numpy as np

        from when_to_invest.features import stream_kernel as kernel

        self._step = kernel.step
        self._state = np.zeros(kernel.SIZE)
        self._ring = np.zeros((kernel.ROWS, RING))
        self._warm_ups = np.array(warm_ups(has_range=has_range, has_volume=has_volume))
        self._out = np.empty(len(NAMES))

    @property
    def count(self) -> int:
        """Return how many bars were taken in."""
        return int(self._state[0])

    def push(self, opening: float, high: float, low: float, close: float, volume: float) -> FloatArray:
        """Take in a closed bar and return every feature, in the order of `NAMES`.

        Prices in the quote currency, volume in base units; features that are still warming up
        are NaN. The array is overwritten by the next push.

        Raises:
            Fault: `corrupt_data` when prices are not positive and in order, or the volume is
                no number from 0 on. Nothing has changed then.
        """
        bar = (opening, high, low, close, volume)
        if not self._step(self._state, self._ring, bar, self._warm_ups, self._out):
            raise _unsound(self.count, bar)
        return self._out

    def snapshot(self) -> bytes:
        """Return everything remembered, as bytes that `restored` takes up."""
        body = self._state.astype("<f8").tobytes() + self._ring.astype("<f8").tobytes()
        return _LAYOUT + hashlib.sha256(body).digest() + body

    @classmethod
    def restored(cls, written: bytes, *, has_range: bool = True, has_volume: bool = True) -> Self:
        """Return a stream that goes on where `snapshot` was taken, bit for bit.

        Raises:
            Fault: `corrupt_data` when the bytes are damaged or of another layout.
        """
        import numpy as np

        layout, digest, body = written[:32], written[32:64], written[64:]
        if layout != _LAYOUT or digest != hashlib.sha256(body).digest():
            raise Fault(
                ErrorCode.CORRUPT_DATA,
                "the feature state is damaged or of another version",
                fix="start a new stream and push the last 1,008 bars again",
            )
        made = cls(has_range=has_range, has_volume=has_volume)
        figures = np.frombuffer(body, dtype="<f8")
        size = len(made._state)
        made._state[:] = figures[:size]
        made._ring[:] = figures[size:].reshape(made._ring.shape)
        return made


def batch_features(bars: BarSeries, *, has_range: bool = True, has_volume: bool = True) -> FloatArray:
    """Return every feature at every bar, of shape (n, 37), as pushing one after another would.

    Raises:
        Fault: `corrupt_data` at the first bar that is not sound.
    """
    import numpy as np

    from when_to_invest.features import stream_kernel as kernel

    prices = (bars.open, bars.high, bars.low) if has_range else (bars.close,) * 3
    volume = bars.volume if has_volume else np.zeros(len(bars))
    table = np.column_stack((*prices, bars.close, volume)).astype(np.float64)
    out = np.empty((len(table), len(NAMES)))
    state, ring = np.zeros(kernel.SIZE), np.zeros((kernel.ROWS, RING))
    bounds = np.array(warm_ups(has_range=has_range, has_volume=has_volume))
    done = kernel.steps(state, ring, table, bounds, out)
    if done < len(table):
        raise _unsound(done, tuple(table[done].tolist()))
    return out


def _unsound(index: int, bar: tuple[float, ...]) -> Fault:
    return Fault(
        ErrorCode.CORRUPT_DATA,
        f"bar {index} is not sound: open, high, low, close, volume = {', '.join(f'{x:g}' for x in bar)}",
        fix="features need positive prices with low <= open, close <= high, and a volume",
    )
