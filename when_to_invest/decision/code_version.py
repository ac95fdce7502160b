"""Which code made a recommendation: a hash of the analysis sources and its libraries.

Stage: decision. Reads its own source files, nothing else, once a process. The same sources
with another numpy may differ in the last bits, so the versions of the numerical libraries
are part of the hash.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Final

_STAGES: Final = ("features", "models", "signals", "risk", "decision")
_SHARED: Final = (
    "canonical.py",
    "honesty/scores.py",
    "instruments.py",
    "market.py",
    "money.py",
    "values.py",
)
_LEARNT: Final = ("dynamics.json", "pooled.json")
_LIBRARIES: Final = ("numba", "numpy")


@cache
def code_version() -> str:
    """Return the SHA-256 of the analysis code as 64 hex digits."""
    root = files("when_to_invest")
    sources = {name: root / name for name in _SHARED}
    for stage in _STAGES:
        sources |= {
            f"{stage}/{entry.name}": entry for entry in (root / stage).iterdir() if entry.name.endswith(".py")
        }
    sources |= {f"models/priors/{name}": root / "models" / "priors" / name for name in _LEARNT}
    hasher = hashlib.sha256()
    for name in sorted(sources):
        hasher.update(f"{name}\0".encode())
        hasher.update(hashlib.sha256(sources[name].read_bytes()).digest())
    for library in _LIBRARIES:
        hasher.update(f"{library}=={version(library)}\0".encode())
    return hasher.hexdigest()
