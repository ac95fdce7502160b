"""A disk that is full ends a writer with one clear error, and nothing that was answered is lost."""

from __future__ import annotations

import resource
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from ledger.sqlite_journal import open_journal
from ledger.verify import verify_journal
from tests.ledger.journals import drill

ROOT = Path(__file__).resolve().parents[2]


def _with_little_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))


def test_a_writer_that_runs_out_of_room_stops_and_keeps_what_it_answered(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    done = subprocess.run(
        [sys.executable, "-m", "tests.ledger.appending", str(path), "gate"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=_with_little_room,
        timeout=60,
        check=False,
    )
    answered = [int(line) for line in done.stdout.split()]
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .startswith("when_to_invest.errors.Fault: cannot write the journal")
    )
    checked = verify_journal(path)
    assert checked.ok, checked
    with closing(open_journal(path)) as journal:
        assert journal.head().sequence == answered[-1] > 0
        assert journal.append([drill(1)]).sequence == answered[-1] + 1
