"""Reading the lake stays light: a first answer must not wait for libraries it does not use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from home.paths import Home
from market_data.lake import import_file
from tests.fakes.fake_bars import series, weekdays
from when_to_invest.instruments import Interval

READ = """
import sys
from pathlib import Path
from home.paths import Home
from market_data.source import latest_as_of, snapshot
home = Home(Path({root!r}))
assert len(snapshot(home, "ETF", as_of=latest_as_of(home, "ETF")).bars) == 300
print(",".join(name for name in ("pandas", "sklearn", "scipy", "arch") if name in sys.modules))
"""


def test_reading_imported_bars_loads_no_data_frame_library(tmp_path: Path) -> None:
    bars = series(weekdays(300))
    times = pa.array(bars.opened_us, type=pa.timestamp("us", tz="UTC"))
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    pq.write_table(pa.table({"ts": times, **columns}), tmp_path / "bars.parquet")
    home = Home(tmp_path / "home")
    import_file(home, tmp_path / "bars.parquet", instrument="ETF", interval=Interval.DAY)
    code = READ.format(root=str(home.root))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
