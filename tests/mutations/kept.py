"""What is known of each module's mutants: kept with the sources, valid for one text of them.

`kept.json` says for each module which code and which tests were judged, how many mutants there were
and which survived. `equivalents.toml` names the mutants that no test can notice, with the proof.
`build/mutations.json` also remembers who noticed each mutant, which makes the next run quick.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.mutations.targets import ROOT

KEPT = Path(__file__).with_name("kept.json")
EQUIVALENTS = Path(__file__).with_name("equivalents.toml")
MEMORY = ROOT / "build" / "mutations.json"


@dataclass(frozen=True, slots=True)
class Judged:
    """One module's mutants as they were judged."""

    code: str
    tests: str
    mutants: int
    survived: tuple[str, ...]


def load(path: Path = KEPT) -> dict[str, Judged]:
    """Return what is kept, by module path."""
    if not path.exists():
        return {}
    told = json.loads(path.read_text(encoding="utf-8"))
    return {name: Judged(**{**row, "survived": tuple(row["survived"])}) for name, row in told.items()}


def keep(known: dict[str, Judged], path: Path = KEPT) -> None:
    """Write what is known, in the order of the paths."""
    told = {name: asdict(known[name]) for name in sorted(known)}
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def equivalents() -> dict[str, dict[str, str]]:
    """Return, by module path, the mutants that change nothing anyone can see, with the proof."""
    return tomllib.loads(EQUIVALENTS.read_text(encoding="utf-8"))


class Memory:
    """Who noticed each mutant, for one text of a module and its tests; survives an interrupted run."""

    def __init__(self, path: Path = MEMORY) -> None:
        self._path = path
        self._told: dict[str, dict[str, str | None]] = {}
        if path.exists():
            self._told = json.loads(path.read_text(encoding="utf-8"))

    def hints(self, path: str, code: str) -> dict[str, str]:
        """Return who noticed the mutants of this code with whatever tests."""
        found: dict[str, str] = {}
        for key, row in self._told.items():
            if key.startswith(f"{path} {code} "):
                found |= {name: by for name, by in row.items() if by is not None}
        return found

    def verdicts(self, path: str, judged: tuple[str, str]) -> dict[str, str | None]:
        """Return what is known of this code with these tests, to be added to."""
        return self._told.setdefault(f"{path} {' '.join(judged)}", {})

    def save(self) -> None:
        """Write it in one step."""
        self._path.parent.mkdir(exist_ok=True)
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(self._told, indent=0), encoding="utf-8")
        part.replace(self._path)
