"""Run vectorbt and backtesting.py on given bars and orders; print durations and final equities.

Stands alone: it runs in the peers' environment and imports nothing of ours. Arguments: a `.npz`
file with open, close, the finished order sizes, and which peer to run.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

CASH = 1e15
FEE = 5e-4
REPEATS = 5


def vectorbt(opened: np.ndarray, close: np.ndarray, sizes: np.ndarray) -> dict[str, list[float]]:
    """Fill finished target weights at the open: only the portfolio is timed, no indicator."""
    import vectorbt as vbt

    if sizes.ndim > 1:
        close = np.repeat(close[:, None], sizes.shape[1], axis=1)
        opened = np.repeat(opened[:, None], sizes.shape[1], axis=1)

    def run() -> Any:
        book = vbt.Portfolio.from_orders(
            close, size=sizes, size_type="targetpercent", price=opened, fees=FEE, init_cash=1e6, freq="1min"
        )
        return book.final_value()

    run()
    seconds, final = _fastest(run, REPEATS)
    return {"seconds": [seconds], "final": (np.asarray(final, dtype=float) / 1e6).ravel().tolist()}


def backtesting(given: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Go in and out on a finished signal: only its event loop and statistics are timed."""
    import pandas as pd
    from backtesting import Backtest, Strategy

    signal = given["signal"]
    opened, close = given["open"], given["close"]
    bars = pd.DataFrame(
        {
            "Open": opened,
            "High": np.maximum(opened, close),
            "Low": np.minimum(opened, close),
            "Close": close,
        },
        index=pd.date_range("2000-01-01", periods=len(close), freq="min"),
    )

    class InAndOut(Strategy):  # type: ignore[misc]  # the peer publishes no types
        def init(self) -> None:
            self.signal = self.I(lambda: signal, plot=False)

        def next(self) -> None:
            is_in = bool(self.signal[-1])
            if is_in and not self.position:
                self.buy()
            elif not is_in and self.position:
                self.position.close()

    test = Backtest(bars, InAndOut, cash=CASH, commission=FEE, trade_on_close=False)
    seconds, stats = _fastest(test.run, 1)
    return {"seconds": [seconds], "final": [float(stats["Equity Final [$]"]) / CASH]}


def _fastest(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    durations: list[float] = []
    answer = None
    for _ in range(repeats):
        started = time.process_time()
        answer = call()
        durations.append(time.process_time() - started)
    return min(durations), answer


def main(path: str, peer: str) -> None:
    """Run one peer and print one line of JSON."""
    warnings.filterwarnings("ignore")
    given = dict(np.load(path))
    runs = {
        "vectorbt": lambda: vectorbt(given["open"], given["close"], given["sizes"]),
        "vectorbt_sweep": lambda: vectorbt(given["sweep_open"], given["sweep_close"], given["sweep_sizes"]),
        "backtesting": lambda: backtesting(given),
    }
    print(json.dumps(runs[peer]()))


if __name__ == "__main__":
    main(*sys.argv[1:])
