"""The daily series that the models are trained and measured on, found through WHEN_TO_INVEST_DATA.

Without that folder only what every machine has remains: the recorded indices and the oil price
of `arch`.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from home.paths import Home
from market_data.lake import import_file
from market_data.source import latest_as_of, snapshot
from when_to_invest.features.daily import DailyBars, daily_bars
from when_to_invest.instruments import Interval
from when_to_invest.market import Snapshot

VARIABLE: Final = "WHEN_TO_INVEST_DATA"
RECORDED: Final = ("SPX", "IXIC")
FUNDS: Final = ("SPY", "QQQ", "GLD", "TLT")
COINS: Final = ("ADA", "BNB", "BTC", "DOGE", "ETH", "LINK", "MATIC", "SOL", "TRX", "XRP")
FAMILIES: Final = {"SPX": "large", "GSPC": "large", "SPY": "large", "IXIC": "nasdaq", "QQQ": "nasdaq"}
"""Instruments on the same stocks are left out together; every other one is its own family."""


def family(name: str) -> str:
    """Return the group with which an instrument is left out."""
    return FAMILIES.get(name, name)


def files_at_hand() -> dict[str, tuple[Path, Interval]]:
    """Return the bar files that exist, by instrument."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return {}
    root = Path(folder)
    found = {name: (root / f"equity_1d/{name}_1d_adj.parquet", Interval.DAY) for name in FUNDS}
    found["GSPC"] = (root / "equity_1d/GSPC_1d_close.parquet", Interval.DAY)
    for coin in COINS:
        found[coin] = (root / f"crypto_1h/binance_{coin}USDT_1h.parquet", Interval.HOUR)
    return {name: each for name, each in found.items() if each[0].is_file()}


def load_snapshots(home: Home) -> dict[str, Snapshot]:
    """Import every file into `home` and return all bars of every instrument."""
    for name, (path, interval) in files_at_hand().items():
        import_file(home, path, instrument=name, interval=interval)
    import_file(home, _oil(home), instrument="WTI", interval=Interval.DAY)
    names = (*RECORDED, *files_at_hand(), "WTI")
    return {name: snapshot(home, name, as_of=latest_as_of(home, name)) for name in names}


def load_markets(home: Home) -> dict[str, DailyBars]:
    """Return the daily bars of every instrument."""
    return {name: daily_bars(found) for name, found in load_snapshots(home).items()}


def data_hashes(markets: dict[str, DailyBars]) -> dict[str, str]:
    """Return the SHA-256 of each instrument's days and closes."""
    return {
        name: hashlib.sha256(bars.day.tobytes() + bars.close.tobytes()).hexdigest()
        for name, bars in markets.items()
    }


def _oil(home: Home) -> Path:
    """Write the closes of WTI that ship inside `arch` as an importable file."""
    spec = find_spec("arch")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("arch")
    source = Path(spec.submodule_search_locations[0]) / "data" / "wti" / "wti.csv.gz"
    home.root.mkdir(parents=True, exist_ok=True)
    target = home.root / "wti.csv"
    with gzip.open(source, "rt", encoding="ascii", newline="") as lines, target.open("w") as out:
        out.write("ts,close\n")
        for day, close in list(csv.reader(lines))[1:]:
            if close.replace(".", "", 1).isdigit() and float(close) > 0.0:
                month, date, year = (int(part) for part in day.split("/"))
                out.write(f"{year:04d}-{month:02d}-{date:02d},{close}\n")
    return target
