"""Which code a process runs: a hash of the core's and this package's sources and libraries.

Shell. Reads its own source files, nothing else, once a process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_PACKAGES: Final = ("compute", "when_to_invest")
_LIBRARIES: Final = ("numba", "numpy", "scikit-learn", "scipy")


@cache
def code_fingerprint() -> str:
    """Return the SHA-256 of everything that decides the last bit of a result, as 64 hex digits."""
    hasher = hashlib.sha256()
    for package in _PACKAGES:
        for name, source in sorted(_modules(files(package), package)):
            hasher.update(f"{name}\0".encode())
            hasher.update(hashlib.sha256(source).digest())
    for library in _LIBRARIES:
        hasher.update(f"{library}=={version(library)}\0".encode())
    return hasher.hexdigest()


def _modules(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _modules(entry, f"{name}/{entry.name}")
        elif entry.name.endswith(".py"):
            yield f"{name}/{entry.name}", entry.read_bytes()
