"""The tree's hash changes with anything that could change a test's result, and with nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "tree", tmp_path / "scripts" / "tree")
    (tmp_path / "code.py").write_text("x = 1\n")
    (tmp_path / ".gitignore").write_text("build/\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "."], check=True)
    return tmp_path


def hash_of(repository: Path, **environment: str) -> str:
    told = subprocess.run(
        [str(repository / "scripts" / "tree")],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], **environment},
    )
    return told.stdout.strip()


def test_the_same_tree_has_the_same_hash(repository: Path) -> None:
    assert hash_of(repository) == hash_of(repository)
    assert len(hash_of(repository)) == 64


def test_what_git_ignores_does_not_count(repository: Path) -> None:
    before = hash_of(repository)
    (repository / "build").mkdir()
    (repository / "build" / "tested").write_text(before)
    assert hash_of(repository) == before


def test_a_change_not_yet_committed_counts(repository: Path) -> None:
    before = hash_of(repository)
    (repository / "code.py").write_text("x = 2\n")
    assert hash_of(repository) != before


def test_a_new_file_counts_before_it_is_added(repository: Path) -> None:
    before = hash_of(repository)
    (repository / "test_new.py").write_text("")
    assert hash_of(repository) != before


def test_a_deleted_file_counts(repository: Path) -> None:
    before = hash_of(repository)
    (repository / "code.py").unlink()
    assert hash_of(repository) != before


def test_more_recorded_data_count(repository: Path) -> None:
    assert hash_of(repository) != hash_of(repository, WHEN_TO_INVEST_DATA="/elsewhere")


def test_without_git_no_two_hashes_are_taken_for_the_same(repository: Path) -> None:
    shutil.rmtree(repository / ".git")
    assert hash_of(repository).startswith("unknown")
