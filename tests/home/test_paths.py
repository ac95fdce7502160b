"""The home directory: everything below it, nothing beside it, readable by its owner."""

from __future__ import annotations

import stat
from dataclasses import fields
from pathlib import Path

import pytest

from home.paths import HOME_VARIABLE, Home, home_at

PLACES = [name for name in vars(Home) if isinstance(vars(Home)[name], property)]


def test_every_place_lies_directly_below_the_root(tmp_path: Path) -> None:
    assert [field.name for field in fields(Home)] == ["root"]
    assert PLACES
    assert all(getattr(Home(tmp_path), name).parent == tmp_path for name in PLACES)


def test_no_two_places_share_a_path(tmp_path: Path) -> None:
    assert len({getattr(Home(tmp_path), name) for name in PLACES}) == len(PLACES)


def test_naming_a_home_touches_nothing(tmp_path: Path) -> None:
    assert not home_at(tmp_path / "new").root.exists()


def test_a_made_home_is_its_owners_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "new").make()
    assert stat.S_IMODE(home.root.stat().st_mode) == stat.S_IRWXU


def test_the_command_line_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "from-environment"))
    assert home_at(tmp_path / "given").root == tmp_path / "given"
    assert home_at(None).root == tmp_path / "from-environment"


def test_without_any_word_it_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home_at(None).root == tmp_path / ".when-to-invest"


def test_a_relative_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert home_at(Path("mine")).root == tmp_path / "mine"
