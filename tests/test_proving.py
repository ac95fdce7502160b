"""`make prove` goes through every proof, each in a process of its own, and on with what is left."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.proving import Proving

HOLDS, BREAKS, ENDS, SKIPS = (f"test_small.py::test_{what}" for what in ("holds", "breaks", "ends", "skips"))
KINDS = [f"{HOLDS}[one kind]", f"{HOLDS}[another]"]
PROGRAM = f"""
import json, os, sys
from pathlib import Path

PROOFS = [{KINDS[0]!r}, {KINDS[1]!r}, {BREAKS!r}, {ENDS!r}, {SKIPS!r}]
rows, seed = Path(sys.argv[2]), int(sys.argv[3].removeprefix("--hypothesis-seed="))
asked = [proof for proof in PROOFS if proof in sys.argv or proof.partition("[")[0] in sys.argv]
if "--collect-only" in sys.argv:
    there = [proof for proof in asked or PROOFS if proof not in Path("gone").read_text()]
    rows.write_text(json.dumps([{{"proof": proof, "name": proof}} for proof in there]))
    sys.exit(5 if "-k" in sys.argv else 0)
is_mended, is_skipped = Path("mended").exists(), {SKIPS!r} in asked
with Path("processes").open("a") as file:
    file.write(f"{{os.getpid()}} {{' '.join(asked)}}\\n")
if {ENDS!r} in asked and not is_mended:
    print("gone without a word")
    os._exit(7)
ok = is_mended or {BREAKS!r} not in asked
print("broken at last" if not ok else "fine")
row = {{"name": "small", "n": 30, "violations": int(not ok), "seconds": 1.5, "ok": ok, "commit": "abc"}}
rows.write_text(json.dumps([{{"proof": proof, "seed": seed, **row}} for proof in asked if not is_skipped]))
sys.exit(int(not ok))
"""


@dataclass
class Folder:
    """A folder with a program that answers as pytest does, and what runs over it said and wrote."""

    path: Path
    tree: str = "as it was"
    said: list[str] = field(default_factory=list)

    def prove(self, *asked: str, seed: int = 5, is_left_only: bool = False) -> bool:
        self.said = []
        return Proving(
            self.path,
            seed=seed,
            is_left_only=is_left_only,
            asked=asked,
            tree=lambda: self.tree,
            say=self.said.append,
            pytest=(sys.executable, str(self.path / "program.py")),
        ).run()

    def rows(self) -> dict[str, dict[str, Any]]:
        rows = json.loads((self.path / "build" / "prove.json").read_text())
        return {row["proof"]: row for row in rows}

    def processes(self) -> list[str]:
        return (self.path / "processes").read_text().splitlines()

    def runs_of(self, proof: str) -> int:
        return sum(proof in line for line in self.processes())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "gone").touch()
    return Folder(tmp_path)


def test_every_proof_is_told_of_and_none_ends_another(folder: Folder) -> None:
    assert not folder.prove()
    assert {proof: (row["ok"], row["n"], row.get("ended")) for proof, row in folder.rows().items()} == {
        KINDS[0]: (True, 30, None),
        KINDS[1]: (True, 30, None),
        BREAKS: (False, 30, None),
        ENDS: (False, 0, "ENDED WITH 7"),
        SKIPS: (False, 0, "skipped"),
    }
    assert "2 of 5 proofs hold, 2 do not, 1 were not run; 90 things tried with seed 5;" in folder.said[-1]


def test_what_a_broken_proof_printed_is_shown_and_a_skipped_one_named(folder: Folder) -> None:
    folder.prove()
    told = "\n".join(folder.said)
    assert "broken at last" in told
    assert "gone without a word" in told
    assert f"not run: {SKIPS}" in told
    assert "fine" not in told


def test_each_function_has_a_process_of_its_own(folder: Folder) -> None:
    folder.prove()
    processes = {line.split()[0] for line in folder.processes()}
    assert len(processes) == len(folder.processes()) == 4
    assert str(os.getpid()) not in processes


def test_a_second_run_goes_on_with_what_has_not_passed(folder: Folder) -> None:
    folder.prove()
    (folder.path / "mended").touch()
    assert folder.prove()
    assert [folder.runs_of(proof) for proof in (HOLDS, BREAKS, ENDS)] == [1, 2, 2]
    assert "4 of 5 proofs hold, 0 do not, 1 were not run" in folder.said[-1]


def test_another_tree_or_seed_is_proved_anew_unless_only_what_is_left_is_asked(folder: Folder) -> None:
    folder.prove(HOLDS)
    folder.tree = "changed"
    folder.prove(HOLDS, is_left_only=True)
    assert folder.runs_of(HOLDS) == 1
    folder.prove(HOLDS)
    folder.prove(HOLDS, seed=6)
    folder.prove(HOLDS, seed=6)
    assert folder.runs_of(HOLDS) == 3


def test_a_tree_that_changes_meanwhile_counts_as_none(folder: Folder) -> None:
    hashes = iter(range(100))
    program = (sys.executable, str(folder.path / "program.py"))
    proving = Proving(
        folder.path, asked=(HOLDS,), tree=lambda: str(next(hashes)), say=folder.said.append, pytest=program
    )
    assert proving.run()
    assert {row["tree"] for row in folder.rows().values()} == {"changed meanwhile"}


def test_what_took_longest_goes_first(folder: Folder) -> None:
    folder.prove()
    rows = folder.rows()
    rows[SKIPS]["seconds"], rows[BREAKS]["seconds"], rows[ENDS]["seconds"] = 2, 90, 30
    (folder.path / "build" / "prove.json").write_text(json.dumps(list(rows.values())))
    folder.tree = "changed"
    proving = Proving(
        folder.path,
        at_once=1,
        tree=lambda: folder.tree,
        say=folder.said.append,
        pytest=(sys.executable, str(folder.path / "program.py")),
    )
    proving.run()
    order = [line.split()[1] for line in folder.processes()[4:]]
    assert order == [BREAKS, ENDS, KINDS[0].split()[0], SKIPS]


def test_part_of_the_proofs_leaves_the_rows_of_the_others(folder: Folder) -> None:
    folder.prove()
    folder.prove(BREAKS, seed=0)
    assert {row["seed"] for row in folder.rows().values()} == {0, 5}
    (folder.path / "gone").write_text(ENDS)
    folder.prove()
    assert set(folder.rows()) == {*KINDS, BREAKS, SKIPS}


def test_nothing_to_prove_is_no_success(folder: Folder) -> None:
    with pytest.raises(SystemExit, match="no proofs: pytest ended with 5"):
        folder.prove("-k", "nothing")
