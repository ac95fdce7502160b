"""Payloads that venues really sent, and what of ours has another shape."""

from __future__ import annotations

import json
import os
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "WHEN_TO_INVEST_DATA"


def data_file(*parts: str) -> Path:
    """Return a recorded file; the test that asks is skipped without it."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"{VARIABLE} does not say where recorded data is")
    path = Path(folder).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{'/'.join(parts)} is not among the recorded data")
    return path


@cache
def _members(venue: str) -> dict[str, Any]:
    found = {}
    with tarfile.open(data_file("api_payloads", f"nautilus_{venue}.tar.gz")) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".json") else None
            if file is not None:
                found[member.name] = json.load(file)
    return found


def payload(venue: str, name: str) -> Any:
    """Return a recorded payload by the end of its file's name."""
    return next(value for path, value in _members(venue).items() if path.endswith(name))


def differences(ours: Any, theirs: Any, *, path: str = "") -> list[str]:
    """Return where ours lacks a key of theirs or has another JSON type; ours may have more keys.

    Lists are judged by their first entries; null matches anything.
    """
    if ours is None or theirs is None:
        return []
    if isinstance(theirs, dict) and isinstance(ours, dict):
        missing = [f"{path}.{key} is missing" for key in theirs if key not in ours]
        shared = [key for key in theirs if key in ours]
        return missing + [d for k in shared for d in differences(ours[k], theirs[k], path=f"{path}.{k}")]
    if isinstance(theirs, list) and isinstance(ours, list):
        both = zip(ours, theirs, strict=False) if _is_row(theirs) else zip(ours[:1], theirs[:1], strict=False)
        return [d for n, (a, b) in enumerate(both) for d in differences(a, b, path=f"{path}[{n}]")]
    return [] if _kind(ours) == _kind(theirs) else [f"{path}: {_kind(ours)}, not {_kind(theirs)}"]


def _is_row(entries: list[Any]) -> bool:
    """Whether a list is a row of plain values, each with a meaning of its own."""
    return all(not isinstance(entry, dict | list) for entry in entries)


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "number as text" if _is_number(value) else "text"
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
