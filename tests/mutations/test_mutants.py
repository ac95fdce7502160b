"""The tests of the gate notice small wrong changes in it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Proof
from tests.mutations.mutants import mutants
from tests.mutations.targets import ROOT, targets

LEAST_NOTICED = 0.95
SOURCE = '''
"""Words."""
LIMIT: int = 3

def check(amount: int, cap: int) -> int | None:
    """More words."""
    if not amount <= cap and amount > 0:
        return max(amount - 1, cap)
    return None
'''


def test_each_mutant_changes_one_thing_within_a_function() -> None:
    found = mutants(SOURCE)
    assert sorted(mutant.what for mutant in found) == [
        "0 to 1",
        "1 to 2",
        "Gt to GtE",
        "LtE to Lt",
        "Sub to Add",
        "condition always False",
        "condition always True",
        "max to min",
        "returns nothing",
        "to Or",
        "without Not",
    ]
    texts = {ast.unparse(mutant.tree) for mutant in found}
    assert len(texts) == len(found)
    assert ast.unparse(ast.parse(SOURCE)) not in texts


def test_every_target_and_its_tests_exist() -> None:
    for target in targets():
        assert (ROOT / target.path).is_file()
        assert all((ROOT / test).exists() for test in target.tests)


@pytest.mark.proof
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_gates_tests_notice_a_wrong_rule(proof: Proof, tmp_path: Path) -> None:
    out = tmp_path / "mutations.json"
    (seed,) = proof.seeds(ci=1, full=1)
    rules = [target.path for target in targets() if target.path.startswith("policies/rules/")]
    sample = [] if proof.is_full_size else ["--sample", "2"]
    asked = ["--seed", str(seed), "--out", str(out), *sample, *rules]
    subprocess.run(
        [sys.executable, "-m", "tests.mutations.runner", *asked],
        check=True,
        capture_output=True,
        cwd=ROOT,
        timeout=3000,
    )
    told = json.loads(out.read_text())
    proof.tried = told["mutants"]
    assert len(told["survived"]) <= (1 - LEAST_NOTICED) * told["mutants"], told["survived"]
