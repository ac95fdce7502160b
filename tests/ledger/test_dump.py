"""A journal that left its store as a file still proves that it is whole."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cli.journal_export import export_lines
from ledger.checking import check_links
from ledger.dump import links_in
from ledger.verify import Verification
from tests.ledger.postgres_server import PostgresServer
from tests.ledger.stores import Store, store_of
from tests.when_to_invest.samples import one_of_each
from when_to_invest.errors import ErrorCode, Fault


def _check(path: Path) -> Verification:
    return check_links(links_in(path), witness=None)


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "export.jsonl"
    with Store(tmp_path).opened() as journal:
        journal.append(one_of_each())
        export_lines(journal, path)
    return path


@pytest.fixture
def dump(tmp_path: Path, postgres: PostgresServer) -> Path:
    store = store_of("postgres", tmp_path, postgres)
    with store.opened() as journal:
        journal.append(one_of_each())
    path = tmp_path / "journal.sql"
    with path.open("wb") as file:
        subprocess.run(
            [postgres.programs / "pg_dump", "--dbname", postgres.url("owner", store.database)],
            stdout=file,
            check=True,
            env={"PATH": os.environ["PATH"]},
        )
    return path


@pytest.mark.parametrize("form", ["lines", "dump"])
def test_an_export_verifies_and_any_change_to_it_is_named(form: str, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(form)
    whole = path.read_bytes()
    result = _check(path)
    assert result.ok, result
    assert result.events == len(one_of_each())
    named = b'"instrument":"SPX"'
    wanted, other = (
        (named, named.replace(b"SPX", b"SPY"))
        if form == "lines"
        else (named.hex().encode(), named.replace(b"SPX", b"SPY").hex().encode())
    )
    assert wanted in whole
    path.write_bytes(whole.replace(wanted, other, 1))
    changed = _check(path)
    assert not changed.ok
    assert changed.first_bad is not None
    assert changed.first_bad.why == "its hash is not that of its content"


@pytest.mark.parametrize("form", ["lines", "dump"])
def test_a_row_that_is_missing_or_moved_is_named(form: str, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(form)
    rows = path.read_bytes().splitlines(keepends=True)
    start = (
        0
        if form == "lines"
        else next(n for n, row in enumerate(rows) if row.startswith(b"COPY journal.events")) + 1
    )
    without = [*rows[: start + 2], *rows[start + 3 :]]
    swapped = [*rows[: start + 1], rows[start + 2], rows[start + 1], *rows[start + 3 :]]
    for changed, sequence in ((without, 3), (swapped, 2)):
        path.write_bytes(b"".join(changed))
        bad = _check(path).first_bad
        assert bad is not None
        assert bad.sequence == sequence


def test_a_dump_that_was_cut_off_is_not_whole(dump: Path) -> None:
    content = dump.read_bytes()
    dump.write_bytes(content[: content.index(b"\\.\n", content.index(b"COPY journal.events"))])
    assert not _check(dump).ok


@pytest.mark.parametrize(
    "line",
    [b"{}\n", b"{\n", b'{"sequence":"x"}\n', b'{"sequence":1,"previous_hash":"zz","hash":"","event":{}}\n'],
)
def test_a_line_that_is_no_event_is_the_first_bad_one(lines: Path, line: bytes) -> None:
    lines.write_bytes(lines.read_bytes() + line)
    bad = _check(lines).first_bad
    assert bad is not None
    assert bad.sequence == len(one_of_each()) + 1


def test_a_file_of_something_else_is_unreadable(tmp_path: Path) -> None:
    other = tmp_path / "diary"
    other.write_text("dear diary\n")
    for path in (other, tmp_path / "nowhere"):
        with pytest.raises(Fault) as caught:
            _check(path)
        assert caught.value.code is ErrorCode.JOURNAL_UNREADABLE
