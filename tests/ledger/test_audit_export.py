"""An auditor gets every event, nobody's name, and the means to see that nothing was changed."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from ledger.audit_export import COLUMNS, Format, _harmless, export_for_audit
from ledger.redaction import Redactor
from ledger.redaction_key import redactor_of
from ledger.retention import CLASSES, OF_KIND, ORDERS, retention_of
from tests.fakes.memory_journal import MemoryJournal
from tests.ledger.journals import drill
from tests.when_to_invest.samples import NOW, one_of_each
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.events import EVENT, AccountFunded
from when_to_invest.letters import DeadLetterAnswered
from when_to_invest.marks import VenueReported

REDACTOR = Redactor(b"k" * 32)
NAME = "zebulon"


def _journal() -> MemoryJournal:
    journal = MemoryJournal()
    journal.append([*one_of_each(), drill(1).model_copy(update={"by": NAME, "why": f"{NAME} phoned"})])
    return journal


def _table(directory: Path, form: Format) -> list[dict[str, Any]]:
    path = directory / f"journal.{form.value}"
    if form is Format.PARQUET:
        return parquet.read_table(path).to_pylist()  # type: ignore[no-any-return]
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("form", Format)
def test_every_event_is_there_with_its_hash_and_how_long_it_is_kept(form: Format, tmp_path: Path) -> None:
    journal = _journal()
    done = export_for_audit(journal, tmp_path, form=form, redactor=REDACTOR, at=NOW)
    rows = _table(tmp_path, form)
    assert done.rows == len(rows) == len(journal.recorded)
    assert tuple(rows[0]) == COLUMNS
    for row, recorded in zip(rows, journal.recorded, strict=True):
        assert (int(row["sequence"]), row["hash"]) == (recorded.sequence, recorded.hash)
        assert row["kind"] == recorded.event.kind == json.loads(row["event"])["kind"]
        assert row["keep_until"] > row["at"]


@pytest.mark.parametrize("form", Format)
def test_nobody_is_named_in_any_file(form: Format, tmp_path: Path) -> None:
    export_for_audit(_journal(), tmp_path, form=form, redactor=REDACTOR, at=NOW)
    for row in _table(tmp_path, form):
        assert NAME not in json.dumps(row)
    for path in tmp_path.iterdir():
        assert NAME.encode() not in path.read_bytes()


@pytest.mark.parametrize("form", Format)
def test_the_manifest_names_what_the_table_must_hash_to(form: Format, tmp_path: Path) -> None:
    journal = _journal()
    done = export_for_audit(journal, tmp_path, form=form, redactor=REDACTOR, at=NOW)
    manifest = json.loads(done.manifest.read_text())
    assert manifest["files"][done.table.name]["sha256"] == hashlib.sha256(done.table.read_bytes()).hexdigest()
    assert (manifest["events"], manifest["head"]) == (len(journal.recorded), journal.head().hash)
    assert sum(manifest["kinds"].values()) == len(journal.recorded)
    assert set(manifest["retention"]) == {kept.name for kept in CLASSES}
    assert list(manifest["meanings"]) == sorted(manifest["columns"])
    assert "journal verify --file" in manifest["checking"]
    assert REDACTOR.key.hex() not in done.manifest.read_text()


def test_an_export_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    class Torn(MemoryJournal):
        def read(self, *, after: int = 0) -> Any:
            yield from super().read(after=after)
            raise Fault(ErrorCode.JOURNAL_CORRUPT, "event 9", fix="stop")

    journal = Torn()
    journal.append(one_of_each())
    with pytest.raises(Fault):
        export_for_audit(journal, tmp_path, form=Format.CSV, redactor=REDACTOR, at=NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_clear_fault(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(Fault) as caught:
        export_for_audit(_journal(), tmp_path / "taken", form=Format.CSV, redactor=REDACTOR, at=NOW)
    assert caught.value.code is ErrorCode.STORAGE_FAILED


@given(name=st.text(min_size=1, max_size=30).filter(lambda text: text.strip("0123456789.-")))
def test_free_text_never_survives_wherever_it_stands(name: str) -> None:
    name = f"Zz{name}"
    tree = {"why": name, "by": name, "new_field": [{"deeper": name}], "facts_json": json.dumps({"x": [name]})}
    assert name not in json.dumps(REDACTOR.redacted(tree), ensure_ascii=False)


def test_what_says_nothing_of_people_stays_readable() -> None:
    answered, reported = (
        REDACTOR.redacted(event.model_dump(mode="json"))
        for event in one_of_each()
        if isinstance(event, DeadLetterAnswered | VenueReported)
    )
    assert isinstance(answered, dict)
    assert isinstance(reported, dict)
    assert answered["answer"] in {"redriven", "discarded"}
    assert answered["by"] != "operator"
    assert reported["status"] == "open"


def test_one_person_has_one_pseudonym_a_key_and_nobody_elses() -> None:
    assert REDACTOR.pseudonym("alice") == REDACTOR.pseudonym("alice") != REDACTOR.pseudonym("bob")
    assert Redactor(b"j" * 32).pseudonym("alice") != REDACTOR.pseudonym("alice")


def test_no_event_keeps_names_where_a_field_name_stands() -> None:
    for shape in [EVENT.json_schema(), *EVENT.json_schema()["$defs"].values()]:
        assert shape.get("additionalProperties", False) is False


def test_every_kind_has_a_class_and_an_unknown_one_is_kept_longest() -> None:
    assert {event.kind for event in one_of_each()} <= set(OF_KIND)
    longest = max(CLASSES, key=lambda kept: kept.years)
    assert retention_of("a_kind_of_the_future") is longest is ORDERS
    assert ORDERS.keep_until(NOW) - NOW > timedelta(days=7 * 365)
    assert retention_of(AccountFunded.model_fields["kind"].default) is ORDERS


@pytest.mark.parametrize("cell", ["=1+1", "@cmd", "+2", "\tx"])
def test_a_cell_is_never_a_formula(cell: str) -> None:
    assert str(_harmless(cell)).startswith("'")


def test_a_homes_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "redaction.key"
    assert redactor_of(path, may_make=True) == redactor_of(path, may_make=False)
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [None, "", "zz", "abcd"])
def test_a_key_that_is_none_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "redaction.key"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Fault) as caught:
        redactor_of(path, may_make=False)
    assert caught.value.code is ErrorCode.KEY_MISSING
