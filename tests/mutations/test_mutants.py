"""The tests of the gate and the journal notice small wrong changes in them."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Proof
from tests.mutations.children import Work, allow_cpu, run_all
from tests.mutations.kept import Judged, equivalents, keep, load
from tests.mutations.mutants import mutants, mutated
from tests.mutations.page import LEAST_EACH, LEAST_OVERALL, mutations_page, overall, rows
from tests.mutations.targets import ROOT, Target, code_hash, hash_of_tests, targets

SOURCE = '''
"""Words."""
LIMIT: int = 3

class Till:
    def check(self, amount: int, cap: int) -> int | None:
        """More words."""
        if not 0 < amount <= cap and amount > 0:
            self.told.append(amount)
            return max(amount - 1, cap)
        return None

def least(amounts):
    try:
        return [each for each in amounts if each]
    except TypeError:
        raise ValueError("not amounts")
'''


def test_each_mutant_changes_one_thing_within_a_function() -> None:
    found = mutants(SOURCE)
    assert sorted(mutant.what for mutant in found) == [
        "0 to 1",
        "0 to 1",
        "1 to 2",
        "Gt to GtE",
        "Lt to LtE",
        "LtE to Lt",
        "Sub to Add",
        "condition always False",
        "condition always True",
        "max to min",
        "returns nothing",
        "returns nothing",
        "swallows",
        "to Or",
        "without Not",
        "without a call",
        "without a filter",
    ]
    texts = {ast.unparse(mutated(SOURCE, mutant)) for mutant in found}
    assert len(texts) == len({mutant.name for mutant in found}) == len(found)
    assert ast.unparse(ast.parse(SOURCE)) not in texts


def test_a_mutants_name_says_what_changed_and_survives_moved_lines() -> None:
    names = [mutant.name for mutant in mutants(SOURCE)]
    assert "Till.check: return max(amount - 1, cap) => return min(amount - 1, cap)" in names
    assert [mutant.name for mutant in mutants("# moved\n\n" + SOURCE)] == names


def test_the_hash_of_code_changes_with_the_code_alone() -> None:
    reworded = SOURCE.replace("Words", "Other words").replace("    def check", "    # why\n    def check")
    assert code_hash(reworded) == code_hash(SOURCE)
    assert code_hash(SOURCE.replace("max", "min")) != code_hash(SOURCE)


def test_the_hash_of_tests_changes_with_what_they_import() -> None:
    target = targets()[0]
    assert hash_of_tests(target) == hash_of_tests(target)
    assert hash_of_tests(target) != hash_of_tests(Target(target.path, ("tests/ledger/test_verify.py",)))


def test_every_target_and_its_tests_exist() -> None:
    for target in targets():
        assert (ROOT / target.path).is_file()
        assert all((ROOT / test).exists() for test in target.tests)


def _busy() -> None:
    while True:
        pass


def test_a_child_answers_or_dies_or_uses_up_its_cpu_time() -> None:
    works = [
        Work("answers", lambda: {"a": os.getpid()}, cpu_s=5),
        Work("dies", lambda: os._exit(9), cpu_s=5),
        Work("never ends", _busy, cpu_s=0),
    ]
    ended = {each.work.name: each for each in run_all(iter(works), at_once=2)}
    assert {name: each.how for name, each in ended.items()} == {
        "answers": "answered",
        "dies": "died",
        "never ends": "cpu",
    }
    assert ended["answers"].answer["a"] != os.getpid()


def test_each_test_in_a_child_has_its_own_bound_within_the_childs() -> None:
    def loop_within(cpu_s: float) -> None:
        allow_cpu(cpu_s)
        _busy()

    works = [
        Work("a test that loops", lambda: loop_within(0), cpu_s=1_000),
        Work("a child that loops", lambda: loop_within(1_000), cpu_s=0),
        Work("moves on", lambda: [allow_cpu(1), allow_cpu(1)], cpu_s=5),
    ]
    ended = {each.work.name: each.how for each in run_all(iter(works), at_once=3)}
    assert ended == {"a test that loops": "cpu", "a child that loops": "cpu", "moves on": "answered"}


def test_a_child_that_waits_for_ever_is_ended_and_found_nothing() -> None:
    reads, _ = os.pipe()
    waiting = Work("waits", lambda: os.read(reads, 1).decode(), cpu_s=5)
    (ended,) = run_all(iter([waiting]), at_once=1, longest_wait_s=0.1)
    assert (ended.how, ended.answer) == ("stuck", None)


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    known = {"b.py": Judged("1", "2", 3, ("f: a => b",)), "a.py": Judged("4", "5", 6, ())}
    keep(known, tmp_path / "kept.json")
    assert load(tmp_path / "kept.json") == known


def test_the_page_tells_of_the_sources_as_they_are() -> None:
    assert (ROOT / "docs" / "mutations.md").read_text(encoding="utf-8") == mutations_page(), (
        "run `make docs`: a module changed since its mutants were judged, and the page must say so"
    )


def test_the_share_noticed_is_as_demanded() -> None:
    found = rows()
    assert overall(found) >= LEAST_OVERALL
    assert not {row.path: row.survived for row in found if row.share < LEAST_EACH}


def test_what_is_said_to_change_nothing_is_a_mutant_that_survived() -> None:
    silent = equivalents()
    assert set(silent) <= {target.path for target in targets()}
    stale = {row.path: set(row.equivalent) - set(row.judged.survived) for row in rows() if row.is_of_today}
    assert not {path: names for path, names in stale.items() if names}


@pytest.mark.proof
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_tests_of_the_gate_and_the_journal_notice_mutants(proof: Proof, tmp_path: Path) -> None:
    """Judge a few mutants of the rules; at full size, every module that changed since it was judged."""
    out = tmp_path / "mutations.json"
    (seed,) = proof.seeds(ci=1, full=1)
    rules = [target.path for target in targets() if target.path.startswith("policies/rules/")]
    asked = [] if proof.is_full_size else ["--sample", "20", "--seed", str(seed), *rules]
    subprocess.run(
        [sys.executable, "-m", "tests.mutations.runner", "--out", str(out), *asked],
        check=True,
        capture_output=True,
        cwd=ROOT,
        timeout=3500,
    )
    told = json.loads(out.read_text())
    silent = equivalents()
    survived = [each for each in told["survived"] if each["what"] not in silent.get(each["path"], {})]
    if not proof.is_full_size:
        assert len(survived) <= (1 - LEAST_EACH) * told["mutants"], survived
        return
    proof.tried = sum(row.judged.mutants for row in rows())
    assert all(row.is_of_today for row in rows())
    assert overall(rows()) >= LEAST_OVERALL, survived
    assert min(row.share for row in rows()) >= LEAST_EACH, survived
