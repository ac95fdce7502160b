"""Replays one seed with its trace, or runs many.

python -m tests.executor.simulation --seed N [--digest]
python -m tests.executor.simulation --first 0 --count 10000 --workers 2
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.executor.simulation.runner import run_seed, run_side_by_side


def _replay(seed: int, *, is_brief: bool) -> int:
    storm = run_seed(seed)
    if is_brief:
        sys.stdout.write(f"{seed} {storm.digest()}\n")
    else:
        sys.stdout.write("\n".join([*storm.world.trace, f"digest {storm.digest()}"]) + "\n")
    violation = storm.world.watch.violation
    if violation is not None:
        sys.stdout.write(f"VIOLATION: {violation}\n")
    return 1 if violation is not None else 0


def _run_many(first: int, count: int, *, workers: int) -> int:
    started_s = time.monotonic()
    tally = run_side_by_side(range(first, first + count), workers=workers)
    took_s = time.monotonic() - started_s
    sys.stdout.write("\n".join(tally.lines()) + f"\n{tally.seeds / took_s:.1f} schedules a second\n")
    return 1 if tally.violations else 0


def main() -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw, allow_abbrev=False)
    parser.add_argument("--seed", type=int, nargs="+")
    parser.add_argument("--digest", action="store_true")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    told = parser.parse_args()
    if told.seed is not None:
        return max(_replay(seed, is_brief=told.digest) for seed in told.seed)
    return _run_many(told.first, told.count, workers=told.workers)


if __name__ == "__main__":
    sys.exit(main())
