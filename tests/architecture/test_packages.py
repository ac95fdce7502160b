"""Top-level package names belong to us alone, and each process installs only its own."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from typing import Any

import pytest

from tests.architecture.sources import PACKAGES, ROOT

OURS = "when-to-invest"
FORBIDDEN = {
    "agent": {"boto3", "botocore", "ccxt", "eth-account", "goat-sdk", "web3"},
    "market": {"boto3", "ccxt", "eth-account", "goat-sdk", "langgraph", "web3"},
    "orders": {"anthropic", "ccxt", "goat-sdk", "guardrails-ai", "langgraph", "web3"},
    "executor": {"anthropic", "goat-sdk", "guardrails-ai", "langchain-core", "langgraph", "mcp"},
    "approver": {"anthropic", "boto3", "ccxt", "langgraph", "mcp", "web3"},
}


Entries = list[dict[str, Any]]


@functools.cache
def locked() -> dict[str, Entries]:
    """Return the lock file's packages by name; a name can stand for several versions."""
    entries: dict[str, Entries] = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]:
        entries.setdefault(package["name"], []).append(package)
    return entries


def needed_by(entries: Entries, extras: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (name, extras) that these versions of one package ask for."""
    for entry in entries:
        asked = list(entry.get("dependencies", []))
        for extra in extras:
            asked += entry.get("optional-dependencies", {}).get(extra, [])
        for dependency in asked:
            yield dependency["name"], tuple(dependency.get("extra", ()))


def installed_with(extra: str) -> set[str]:
    """Return the names of everything that one extra of ours installs, on any platform."""
    waiting: list[tuple[str, tuple[str, ...]]] = [(OURS, (extra,))]
    seen = set()
    while waiting:
        wanted = waiting.pop()
        if wanted not in seen:
            seen.add(wanted)
            waiting.extend(needed_by(locked()[wanted[0]], wanted[1]))
    return {name for name, _ in seen} - {OURS}


def test_no_installed_distribution_owns_a_name_of_ours() -> None:
    owners = packages_distributions()
    claimed = {name: set(owners.get(name, [])) - {OURS} for name in (*PACKAGES, "benchmarks", "tests")}
    assert not {name: others for name, others in claimed.items() if others}


@pytest.mark.parametrize("extra", sorted(FORBIDDEN))
def test_a_process_does_not_install_what_it_must_never_hold(extra: str) -> None:
    assert not installed_with(extra) & FORBIDDEN[extra]


def test_the_lock_is_read_right() -> None:
    assert {"langgraph", "mcp", "pydantic", "anthropic"} <= installed_with("agent")
    assert {"boto3", "botocore", "eth-account"} <= installed_with("executor")


def test_the_wheel_holds_every_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["uv"]["build-backend"]["module-name"] == list(PACKAGES)
    assert project["tool"]["importlinter"]["root_packages"] == list(PACKAGES)
