"""The journal's place is named without its password, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from home.ledger import LedgerSettings
from home.paths import Home
from home.settings import read_settings
from when_to_invest.errors import ErrorCode, Fault


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://writer:hunter-2@db/journal",
        "postgresql://writer@db/journal?password=hunter-2",
        "postgresql://writer@db/journal?sslPassword=hunter-2",
    ],
)
def test_a_password_in_the_url_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    home = Home(tmp_path)
    home.config.write_text(f'[ledger]\nurl = "{url}"\n')
    with pytest.raises(Fault, match="must not hold a password") as caught:
        read_settings(home)
    assert caught.value.code is ErrorCode.BAD_CONFIG
    assert "hunter-2" not in repr(caught.value.as_json())


@pytest.mark.parametrize(
    "url", ["mysql://db/journal", "journal.sqlite", "postgresql://db", "postgresql://db/"]
)
def test_what_names_no_database_is_refused(tmp_path: Path, url: str) -> None:
    home = Home(tmp_path)
    home.config.write_text(f'[ledger]\nurl = "{url}"\n')
    with pytest.raises(Fault, match=r"ledger\.url"):
        read_settings(home)


def test_without_a_url_the_journal_is_the_homes_own_file() -> None:
    assert LedgerSettings().url == ""
    url = "postgresql://writer@db/journal?sslmode=verify-full"
    assert LedgerSettings(url=url).url == url
