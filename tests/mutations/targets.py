"""What is mutated, and which tests must notice, the quickest first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_GATE = ("tests/policies/test_gate.py",)
_FACTS = ("tests/policies/test_facts.py", "tests/policies/rules", *_GATE)


@dataclass(frozen=True)
class Target:
    """A module's file and its tests."""

    path: str
    tests: tuple[str, ...]

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").replace("/", ".")


def targets() -> list[Target]:
    """Return every module of the gate that decides, and the journal's."""
    rules = sorted((ROOT / "policies" / "rules").glob("*.py"))
    found = [
        Target(f"policies/rules/{path.name}", (f"tests/policies/rules/test_{path.stem}_rule.py", *_GATE))
        for path in rules
        if path.stem != "__init__"
    ]
    found += [
        Target(f"policies/{name}.py", _FACTS)
        for name in (
            "activity",
            "exactness",
            "exposures",
            "facts",
            "gathering",
            "losses",
            "rule",
            "shrinking",
            "sizing",
            "splitting",
            "turbulence",
            "worth",
        )
    ]
    found += [
        Target("policies/gate.py", _GATE),
        Target("policies/limits.py", ("tests/policies/test_limits.py",)),
        Target("policies/seal.py", ("tests/policies/test_seal.py", "tests/policies/test_verify.py")),
        Target("policies/verify.py", ("tests/policies/test_verify.py", "tests/policies/test_seal.py")),
        Target("when_to_invest/wealth.py", ("tests/when_to_invest/test_wealth.py",)),
        Target("when_to_invest/recent.py", ("tests/when_to_invest/test_recent.py",)),
    ]
    journal = ("tests/ledger/test_sqlite_journal.py", "tests/ledger/test_verify.py", "tests/ledger")
    return found + [Target(f"ledger/{name}.py", journal) for name in ("chain", "sqlite_journal", "verify")]
