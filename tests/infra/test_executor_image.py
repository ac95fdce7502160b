"""What is in the executor's image, proven on the lock and on its own files: no language model, no door."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from executor.health_check import FILE, told
from tests.faults.homestead import Homestead
from when_to_invest import events as ev

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"
NEVER = {
    "anthropic",
    "goat-sdk",
    "guardrails-ai",
    "langchain-anthropic",
    "langchain-core",
    "langgraph",
    "litellm",
    "mcp",
    "openai",
    "web3",
}
OURS = {"agents", "cli", "compute", "graphs", "tool_servers", "benchmarks", "tests", "infra"}
WITHIN_S = 30.0
START = """
import importlib.abc, json, runpy, sys
MISSING = set(json.loads(sys.argv.pop(1)))
class OnlyTheImage(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)
sys.meta_path.insert(0, OnlyTheImage())
runpy.run_module("executor", run_name="__main__", alter_sys=True)
"""


def locked() -> dict[str, list[dict[str, Any]]]:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    found: dict[str, list[dict[str, Any]]] = {}
    for package in packages:
        found.setdefault(package["name"], []).append(package)
    return found


def installed_with(extra: str) -> set[str]:
    """Return every distribution that the lock installs with one extra, on any platform."""
    packages, seen = locked(), set[tuple[str, str]]()
    waiting = [("when-to-invest", ""), ("when-to-invest", extra)]
    while waiting:
        name, chosen = waiting.pop()
        if (name, chosen) in seen:
            continue
        seen.add((name, chosen))
        for package in packages[name]:
            key = (
                package.get("optional-dependencies", {}).get(chosen, [])
                if chosen
                else package.get("dependencies", [])
            )
            for needed in key:
                waiting.append((needed["name"], ""))
                waiting += [(needed["name"], each) for each in needed.get("extra", [])]
    return {name for name, _ in seen} - {"when-to-invest"}


def copied() -> list[str]:
    """Return the folders of ours that the image copies."""
    lines = [line.split() for line in DOCKERFILE.read_text().splitlines()]
    return [words[1].rstrip("/") for words in lines if words[:1] == ["COPY"] and words[1].endswith("/")]


def test_the_locked_extra_brings_no_language_model_and_no_server_of_tools() -> None:
    names = installed_with("executor")
    assert {"ccxt", "boto3", "pydantic", "coincurve"} <= names
    assert not names & NEVER
    assert NEVER - set(locked()) <= {"litellm", "openai"}, "a name that nothing brings proves nothing"


def test_the_image_copies_what_the_executor_imports_and_nothing_else() -> None:
    assert not set(copied()) & OURS
    missing = set(copied()) - {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    assert not missing


def test_the_build_sees_only_what_the_image_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:].removesuffix("/**") for line in lines if line.startswith("!")}
    assert lines[1] == "*"
    assert let_in == {*copied(), "pyproject.toml", "uv.lock"}


def test_the_image_runs_as_nobody_checks_its_health_and_holds_no_secret() -> None:
    text = DOCKERFILE.read_text()
    words = [line.split()[0] for line in text.splitlines() if line and line[0].isupper()]
    assert words.count("FROM") == 2
    assert "USER 10001:10001" in text
    assert text.rindex("USER") < text.index("ENTRYPOINT")
    assert 'CMD ["python", "-m", "executor.health_check"]' in text
    assert 'ENTRYPOINT ["python", "-m", "executor"]' in text
    assert "--frozen" in text
    assert ":latest" not in text
    assert not [
        word
        for word in ("SECRET", "TOKEN", "PASSW", "API_KEY")
        if word in text.upper().replace("SECRETS COME", "")
    ]


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint is in the dev group, which is not installed")
    found = subprocess.run([str(hadolint), str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Return a folder with the image's own files, which nobody may change."""
    app = tmp_path / "app"
    for name in copied():
        shutil.copytree(ROOT / name, app / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in app.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return app


@pytest.fixture
def homestead(tmp_path: Path) -> Iterator[Homestead]:
    home = Homestead(tmp_path / "home")
    yield home
    home.close()


def absent() -> list[str]:
    """Return the top names of every installed distribution that the image does not have."""
    names = installed_with("executor")
    return sorted(
        OURS
        | {
            module
            for module, owners in importlib.metadata.packages_distributions().items()
            if not {owner.lower().replace("_", "-").replace(".", "-") for owner in owners} & names
            and module not in {*copied(), *sys.stdlib_module_names}
        }
    )


def started(app: Path, home: Path, log: Path) -> subprocess.Popen[bytes]:
    environment = {
        "PYTHONPATH": str(app),
        "PYTHONDONTWRITEBYTECODE": "1",
        "WHEN_TO_INVEST_HOME": str(home),
        "PATH": os.environ["PATH"],
    }
    with log.open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-c", START, json.dumps(absent())],
            cwd=app.parent,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )


def waited(is_so: Any) -> bool:
    patience = threading.Event()
    ends_at_s = time.monotonic() + WITHIN_S
    while not is_so():
        if time.monotonic() > ends_at_s:
            return False
        patience.wait(0.05)
    return True


@pytest.mark.slow
def test_the_images_files_alone_run_a_whole_executor_and_none_of_them_changes(
    image: Path, homestead: Homestead, tmp_path: Path
) -> None:
    before = sorted(path.relative_to(image) for path in image.rglob("*"))
    decision_id = homestead.propose()
    log = tmp_path / "log"
    process = started(image, homestead.root, log)
    try:
        assert waited(lambda: told(homestead.home.run)[0]), log.read_text()
        assert waited(lambda: bool(homestead.decision(decision_id).orders)), log.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN_S) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
    assert homestead.kinds(ev.RecoveryCompleted)
    assert not (homestead.home.run / FILE).exists()
    assert sorted(path.relative_to(image) for path in image.rglob("*")) == before
