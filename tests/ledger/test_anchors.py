"""An anchor cannot be taken back, and a history rewritten whole contradicts it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from home.ledger import AnchorSettings
from ledger.anchors import Anchor, S3Anchors, connect_s3, contradiction
from ledger.journal import Head
from tests.contracts.sqs_server import sqs_server
from tests.fakes.memory_journal import MemoryJournal
from tests.ledger.journals import drill, write
from when_to_invest.errors import ErrorCode, Fault

_numbers = count(1)
AT = datetime.now(UTC).replace(microsecond=0)
"""The server compares a retention date with its own clock."""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        with sqs_server(tmp_path_factory.mktemp("s3"), services="s3") as url:
            yield url


def _bucket(endpoint: str, *, locks: bool) -> S3Anchors:
    settings = AnchorSettings(bucket=f"anchors-{next(_numbers)}", endpoint_url=endpoint, retention_days=30)
    anchors = S3Anchors(connect_s3(settings), settings)
    anchors.client.create_bucket(Bucket=settings.bucket, ObjectLockEnabledForBucket=locks)
    return anchors


@pytest.fixture
def anchors(endpoint: str) -> S3Anchors:
    return _bucket(endpoint, locks=True)


def _journal(*numbers: int) -> MemoryJournal:
    journal = MemoryJournal()
    for number in numbers:
        journal.append([drill(number)])
    return journal


def _version(anchors: S3Anchors) -> dict[str, Any]:
    listed = anchors.client.list_object_versions(Bucket=anchors.settings.bucket)
    (version,) = listed["Versions"]
    return {"Bucket": anchors.settings.bucket, "Key": version["Key"], "VersionId": version["VersionId"]}


def test_what_was_anchored_is_read_back_in_order(anchors: S3Anchors) -> None:
    journal = _journal(1, 2)
    heads = [recorded.head for recorded in journal.recorded]
    for head in reversed(heads):
        anchors.write(head, at=AT)
    assert list(anchors.read()) == [Anchor(head, AT) for head in heads]


def test_an_anchor_is_locked_until_its_date(anchors: S3Anchors) -> None:
    anchors.write(_journal(1).head(), at=AT)
    place = _version(anchors)
    kept = anchors.client.head_object(**place)
    assert kept["ObjectLockMode"] == "COMPLIANCE"
    assert kept["ObjectLockRetainUntilDate"] == AT + timedelta(days=30)
    for bypass in (False, True):
        with pytest.raises(ClientError, match="AccessDenied"):
            anchors.client.delete_object(**place, BypassGovernanceRetention=bypass)


def test_an_anchor_that_was_covered_up_is_still_read(anchors: S3Anchors) -> None:
    anchor = anchors.write(_journal(1).head(), at=AT)
    place = _version(anchors)
    del place["VersionId"]
    anchors.client.delete_object(**place)
    assert list(anchors.read()) == [anchor]


def test_a_bucket_that_does_not_lock_is_refused(endpoint: str) -> None:
    with pytest.raises(Fault, match="did not lock") as caught:
        _bucket(endpoint, locks=False).write(_journal(1).head(), at=AT)
    assert caught.value.code is ErrorCode.BAD_CONFIG


def test_a_missing_bucket_and_a_silent_store_are_told_apart(endpoint: str) -> None:
    absent = AnchorSettings(bucket="nowhere-at-all", endpoint_url=endpoint)
    silent = AnchorSettings(bucket="anchors", endpoint_url="http://127.0.0.1:9")
    codes = []
    for settings in (absent, silent):
        with pytest.raises(Fault) as caught:
            S3Anchors(connect_s3(settings), settings).write(_journal(1).head(), at=AT)
        codes.append(caught.value.code)
    assert codes == [ErrorCode.BAD_CONFIG, ErrorCode.SERVICE_UNAVAILABLE]


def test_an_object_that_is_no_anchor_is_named(anchors: S3Anchors) -> None:
    anchors.client.put_object(Bucket=anchors.settings.bucket, Key="anchors/note.json", Body=b"{}")
    with pytest.raises(Fault, match=r"anchors/note\.json") as caught:
        list(anchors.read())
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


def test_a_journal_that_grew_agrees_with_its_anchors(anchors: S3Anchors) -> None:
    journal = _journal(1, 2)
    anchors.write(journal.head(), at=AT)
    journal.append([drill(3)])
    assert contradiction(journal, anchors.read()) is None
    assert contradiction(_journal(), [Anchor(Head(0, "0" * 64), AT)]) is None


def test_a_history_rewritten_whole_contradicts_its_anchor(anchors: S3Anchors) -> None:
    anchors.write(_journal(1, 2).head(), at=AT)
    bad = contradiction(_journal(1, 9, 3), anchors.read())
    assert bad is not None
    assert (bad.sequence, bad.why) == (2, "an anchor saw another event in its place")


def test_a_tail_that_was_cut_is_missed(anchors: S3Anchors) -> None:
    anchors.write(_journal(1, 2).head(), at=AT)
    bad = contradiction(_journal(1), anchors.read())
    assert bad is not None
    assert (bad.sequence, bad.why) == (2, "it is missing though an anchor saw it")


def test_older_copies_of_journal_and_witness_together_are_noticed_by_the_anchor_alone(
    anchors: S3Anchors, endpoint: str, tmp_path: Path
) -> None:
    from cli.commands.journals import anchor, verify

    home, backup = tmp_path / "home", tmp_path / "backup"
    home.mkdir()
    (home / "config.toml").write_text(
        f'[ledger.anchors]\nbucket = "{anchors.settings.bucket}"\nendpoint_url = "{endpoint}"\n'
    )
    write(home / "journal.sqlite", [drill(1)])
    shutil.copytree(home, backup)
    write(home / "journal.sqlite", [drill(2)])
    anchor(home=home, json=True)
    for name in ("journal.sqlite", "journal.sqlite.head"):
        shutil.copy(backup / name, home / name)
    assert verify(home=home, json=True) == 0
    assert verify(anchors=True, home=home, json=True) == 1
    # The rolled back home goes on for a while: longer again, and still found out.
    write(home / "journal.sqlite", [drill(3), drill(4)])
    assert verify(home=home, json=True) == 0
    assert verify(anchors=True, home=home, json=True) == 1


def test_the_command_line_anchors_and_compares(anchors: S3Anchors, endpoint: str, tmp_path: Path) -> None:
    from cli.commands.journals import anchor, verify
    from ledger.sqlite_journal import open_journal

    (tmp_path / "config.toml").write_text(
        f'[ledger.anchors]\nbucket = "{anchors.settings.bucket}"\nendpoint_url = "{endpoint}"\n'
    )
    path = tmp_path / "journal.sqlite"
    journal = open_journal(path)
    journal.append([drill(1), drill(2)])
    journal.close()
    anchor(home=tmp_path, json=True)
    assert verify(anchors=True, home=tmp_path, json=True) == 0
    for name in ("journal.sqlite", "journal.sqlite.head"):
        (tmp_path / name).unlink()
    journal = open_journal(path)
    journal.append([drill(7), drill(8), drill(9)])
    journal.close()
    assert verify(home=tmp_path, json=True) == 0
    assert verify(anchors=True, home=tmp_path, json=True) == 1
