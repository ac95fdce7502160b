"""Runs the proofs at full size, a few at a time, and tells once what each tried and found.

    python -m tests.proving [--seed N] [--at-once N] [--left] [what pytest takes: paths, -k ...]

Each proof runs in a fresh process, so that none sees the memory, the caches or the faults of another; what
it printed is in `build/prove/`. A violated proof ends no other. Rows are written to `build/prove.json` as
they come: run again, it goes on with what has not passed on this very tree with this seed. `--left` runs
only what has not passed yet on whatever tree; each row says at which commit it was made. The longest go
first, as far as earlier rows tell.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Row = dict[str, Any]
SKIPPED = "skipped"


def tree_of_today() -> str:
    """Return one hash of everything that could change a result."""
    return subprocess.run(
        [ROOT / "scripts" / "tree"], capture_output=True, text=True, check=True
    ).stdout.strip()


def print_at_once(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class Proving:
    """One run over the proofs of `folder`: what is asked, what is known, what was found."""

    folder: Path
    seed: int = 0
    at_once: int = 2
    is_left_only: bool = False
    asked: Sequence[str] = ()
    tree: Callable[[], str] = tree_of_today
    say: Callable[[str], None] = print_at_once
    pytest: Sequence[str] = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
    known: dict[str, Row] = field(default_factory=dict)
    running: set[subprocess.Popen[str]] = field(default_factory=set)

    def run(self) -> bool:
        """Run what is to be run, write down each row as it comes, tell all; return whether all hold."""
        started = time.monotonic()
        self.folder.joinpath("build", "prove").mkdir(parents=True, exist_ok=True)
        self.known = self._kept()
        groups = self._collected()
        chosen = [proof for proofs in groups for proof in proofs]
        if not self.asked:
            self.known = {proof: row for proof, row in self.known.items() if proof in chosen}
        today = self.tree()
        jobs = [proofs for proofs in groups if not all(self._is_proved(proof, today) for proof in proofs)]
        jobs.sort(key=self._expected_s, reverse=True)
        self.say(f"{len(chosen)} proofs, of which {sum(map(len, jobs))} are to run, {self.at_once} at a time")
        try:
            self._run_all(jobs)
        except KeyboardInterrupt:
            self.say("stopped; run again, it goes on from here")
        return self._tell(chosen, minutes=(time.monotonic() - started) / 60)

    @property
    def out(self) -> Path:
        return self.folder / "build" / "prove.json"

    def _kept(self) -> dict[str, Row]:
        rows: list[Row] = json.loads(self.out.read_text()) if self.out.is_file() else []
        return {row["proof"]: row for row in rows if "proof" in row}

    def _keep(self) -> None:
        new = self.out.with_suffix(".new")
        new.write_text(json.dumps(list(self.known.values()), indent=2) + "\n")
        new.replace(self.out)

    def _pytest(self, rows: Path, *args: str) -> subprocess.CompletedProcess[str]:
        command = [*self.pytest, "--prove", str(rows), f"--hypothesis-seed={self.seed}"]
        with subprocess.Popen(
            [*command, "--timeout=3600", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
        ) as process:
            self.running.add(process)
            said, _ = process.communicate()
            self.running.discard(process)
        return subprocess.CompletedProcess(process.args, process.returncode, said)

    def _collected(self) -> list[list[str]]:
        """Return the proofs, those of one function together."""
        rows = self.folder / "build" / "prove" / "collected.json"
        rows.unlink(missing_ok=True)
        ended = self._pytest(rows, "--collect-only", "-q", *self.asked)
        if ended.returncode or not rows.is_file():
            raise SystemExit(f"{ended.stdout}\nno proofs: pytest ended with {ended.returncode}")
        groups: dict[str, list[str]] = {}
        for row in json.loads(rows.read_text()):
            groups.setdefault(row["proof"].partition("[")[0], []).append(row["proof"])
        return list(groups.values())

    def _is_proved(self, proof: str, today: str) -> bool:
        row = self.known.get(proof, {})
        is_same = (row.get("tree"), row.get("seed")) == (today, self.seed)
        return bool(row.get("ok")) and (is_same or self.is_left_only)

    def _expected_s(self, proofs: Sequence[str]) -> float:
        """Return how long they took before; what never ran may be long."""
        return sum(float(self.known.get(proof, {}).get("seconds", "inf")) for proof in proofs)

    def _run_all(self, jobs: Sequence[Sequence[str]]) -> None:
        with ThreadPoolExecutor(max_workers=self.at_once) as pool:
            waiting = [pool.submit(self._rows_of, proofs) for proofs in jobs]
            try:
                for count, ended in enumerate(as_completed(waiting), start=1):
                    for row in ended.result():
                        self.known[row["proof"]] = row
                        self.say(f"{count:3}/{len(jobs)}  {line_of(row)}")
                    self._keep()
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in tuple(self.running):
                    process.send_signal(signal.SIGINT)
                raise

    def _rows_of(self, proofs: Sequence[str]) -> list[Row]:
        """Run the proofs of one function; return a row for each, whatever became of them."""
        name = re.sub(r"\W+", "-", proofs[0].partition("[")[0].removeprefix("tests/"))
        rows = self.folder / "build" / "prove" / f"{name}.json"
        rows.unlink(missing_ok=True)
        before = self.tree()
        started = time.monotonic()
        ended = self._pytest(rows, *proofs)
        took_s = time.monotonic() - started
        log = rows.with_suffix(".log")
        log.write_text(ended.stdout)
        told = {row["proof"]: row for row in json.loads(rows.read_text())} if rows.is_file() else {}
        origin = {
            "seed": self.seed,
            "tree": before if self.tree() == before else "changed meanwhile",
            "log": str(log.relative_to(self.folder)),
        }
        silent = partial(_row_without_answer, status=ended.returncode, seconds=took_s / len(proofs))
        return [(told.get(proof) or silent(proof)) | origin for proof in proofs]

    def _tell(self, chosen: Sequence[str], *, minutes: float) -> bool:
        """Say what each proof tried and found; return whether every one that could run holds."""
        rows = [self.known[proof] for proof in chosen if proof in self.known]
        missing = [proof for proof in chosen if proof not in self.known]
        bad = [row for row in rows if not row["ok"] and row.get("ended") != SKIPPED]
        skipped = [row for row in rows if row.get("ended") == SKIPPED]
        self.say("\n  minutes       tried  violations  proof")
        for row in sorted(rows, key=lambda row: -row["seconds"]):
            self.say(line_of(row))
        for row in bad:
            self.say(f"\n{row['proof']}: see {row['log']}\n{self._end_of(row)}")
        for row in (*skipped, *({"proof": proof} for proof in missing)):
            self.say(f"not run: {row['proof']}")
        tried, minutes_of_proofs = sum(row["n"] for row in rows), sum(row["seconds"] for row in rows) / 60
        self.say(
            f"\n{len(rows) - len(bad) - len(skipped)} of {len(chosen)} proofs hold, {len(bad)} do not, "
            f"{len(skipped) + len(missing)} were not run; {tried} things tried with seed {self.seed}; "
            f"{minutes_of_proofs:.1f} minutes of proofs, {minutes:.1f} of this run; "
            f"at {', '.join(sorted({str(row.get('commit', 'unknown')) for row in rows}))}"
        )
        return not bad and not missing

    def _end_of(self, row: Row) -> str:
        log = self.folder / row["log"]
        return "\n".join(log.read_text().splitlines()[-25:]) if log.is_file() else "its log is gone"


def line_of(row: Row) -> str:
    """Return one row as a line."""
    how = "" if row["ok"] else f"  {row.get('ended', 'VIOLATED')}"
    return f"{row['seconds'] / 60:9.1f} {row['n']:11} {row['violations']:11}  {row['name']}{how}"


def _row_without_answer(proof: str, *, status: int, seconds: float) -> Row:
    """Return the row of a proof that was skipped, or whose process ended before it could tell."""
    return {
        "proof": proof,
        "name": proof,
        "n": 0,
        "violations": 0,
        "seconds": round(seconds, 3),
        "ok": False,
        "ended": SKIPPED if status == 0 else f"ENDED WITH {status}",
    }


def main() -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw, allow_abbrev=False)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=min(4, cores()))
    parser.add_argument("--left", action="store_true")
    told, asked = parser.parse_known_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background work ignores the first, else
        signal.signal(number, signal.default_int_handler)
    proving = Proving(
        Path.cwd(), seed=told.seed, at_once=told.at_once, is_left_only=told.left, asked=tuple(asked)
    )
    return 0 if proving.run() else 1


if __name__ == "__main__":
    sys.exit(main())
