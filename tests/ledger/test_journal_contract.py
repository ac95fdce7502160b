"""What every journal promises, on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from ledger.journal import EMPTY, GENESIS, Head
from ledger.witness import read_witness, witness_path
from tests.ledger.journals import drill
from tests.ledger.stores import KINDS, Store, store_of
from tests.when_to_invest.samples import one_of_each
from when_to_invest.canonical import digest
from when_to_invest.errors import ErrorCode, Fault


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    kind = request.param
    return store_of(kind, tmp_path, request.getfixturevalue("postgres") if kind == "postgres" else None)


def _code(call: Callable[..., object], *args: object, **named: object) -> ErrorCode:
    with pytest.raises(Fault) as caught:
        call(*args, **named)
    return caught.value.code


def test_a_new_journal_is_empty(store: Store) -> None:
    with store.opened() as journal:
        assert journal.head() == EMPTY == Head(0, GENESIS)
        assert list(journal.read()) == []


def test_every_kind_of_event_comes_back_as_it_was(store: Store) -> None:
    with store.opened() as journal:
        journal.append(one_of_each())
        assert [recorded.event for recorded in journal.read()] == one_of_each()


def test_both_make_the_same_chain_of_the_same_events(store: Store) -> None:
    previous = GENESIS
    with store.opened() as journal:
        journal.append(one_of_each())
        for place, recorded in enumerate(journal.read(), start=1):
            event = recorded.event.model_dump(mode="json")
            assert recorded.hash == digest({"sequence": place, "previous_hash": previous, "event": event})
            previous = recorded.hash
        assert journal.head().hash == previous


def test_reading_after_an_event_gives_what_follows(store: Store) -> None:
    with store.opened() as journal:
        journal.append([drill(number) for number in range(1, 2_204)])
        assert [recorded.sequence for recorded in journal.read(after=2_200)] == [2_201, 2_202, 2_203]
        assert list(journal.read(after=2_203)) == []


def test_events_are_picked_by_their_places_and_one_that_is_not_there_is_no_answer(store: Store) -> None:
    with store.opened() as journal:
        journal.append(one_of_each())
        told = list(journal.read())
        assert list(journal.pick([2, 5, 6])) == [told[1], told[4], told[5]]
        assert list(journal.pick([])) == []
        assert _code(lambda: list(journal.pick([2, 5_000]))) is ErrorCode.JOURNAL_CORRUPT


def test_an_event_that_was_changed_is_not_picked(store: Store) -> None:
    with store.opened() as journal:
        journal.append(one_of_each())
    store.tamper("UPDATE events SET hash = zeroblob(32) WHERE sequence = 5")
    with store.opened() as journal:
        assert [recorded.sequence for recorded in journal.pick([4])] == [4]
        assert _code(lambda: list(journal.pick([4, 5]))) is ErrorCode.JOURNAL_CORRUPT


def test_an_append_that_expects_another_head_records_nothing(store: Store) -> None:
    with store.opened() as journal:
        head = journal.append([drill(1)])
        assert _code(journal.append, [drill(2)], expected=EMPTY) is ErrorCode.JOURNAL_CONFLICT
        assert journal.append([]) == head == journal.head()
        assert journal.append([drill(2)], expected=head).sequence == 2


def test_two_writers_that_expect_the_same_head_cannot_both_append(store: Store) -> None:
    with store.opened() as ours, store.opened() as theirs:
        seen = ours.head()
        theirs.append([drill(1)], expected=seen)
        assert _code(ours.append, [drill(2)], expected=seen) is ErrorCode.JOURNAL_CONFLICT
        assert [recorded.event for recorded in ours.read()] == [drill(1)]


def test_a_journal_opened_for_reading_cannot_be_written(store: Store) -> None:
    with store.opened() as journal:
        journal.append([drill(1)])
    with store.opened(is_read_only=True) as journal:
        assert _code(journal.append, [drill(2)]) is ErrorCode.STORAGE_FAILED
        assert [recorded.event for recorded in journal.read()] == [drill(1)]


def test_readers_beside_writers_never_meet_a_gap(store: Store) -> None:
    writers = [store.open() for _ in range(3)]

    def write(number: int) -> None:
        for _ in range(30):
            writers[number].append([drill(number), drill(number)])

    threads = [Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    with store.opened(is_read_only=True) as reader:
        seen = 0
        while seen < 180:
            for recorded in reader.read(after=seen):
                assert recorded.sequence == seen + 1
                seen += 1
            assert seen % 2 == 0  # a group is seen whole or not at all
    for thread, journal in zip(threads, writers, strict=True):
        thread.join()
        journal.close()
    assert seen == 180


def test_threads_that_share_a_journal_make_one_chain(store: Store) -> None:
    with store.opened() as journal:
        threads = [
            Thread(target=lambda number=number: [journal.append([drill(number)]) for _ in range(15)])
            for number in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(1 for _ in journal.read()) == 60
        assert read_witness(store.witnessed_at) == journal.head()


@pytest.mark.parametrize(
    ("statement", "sequence"),
    [
        ("UPDATE events SET hash = zeroblob(32) WHERE sequence = 2", 2),
        ("UPDATE events SET previous_hash = zeroblob(32) WHERE sequence = 3", 3),
        ("DELETE FROM events WHERE sequence = 2", 2),
        ("UPDATE events SET sequence = 9 WHERE sequence = 3", 3),
    ],
)
def test_a_broken_chain_is_never_read_past(store: Store, statement: str, sequence: int) -> None:
    with store.opened() as journal:
        journal.append([drill(1), drill(2), drill(3)])
    witness_path(store.witnessed_at).unlink()
    store.tamper(statement)
    good = []
    with (
        store.opened(is_read_only=True) as journal,
        pytest.raises(Fault, match=f"event {sequence} ") as caught,
    ):
        good.extend(journal.read())
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT
    assert [recorded.sequence for recorded in good] == list(range(1, sequence))


def test_a_journal_that_lost_its_tail_does_not_open(store: Store) -> None:
    with store.opened() as journal:
        journal.append([drill(1), drill(2)])
    store.tamper("DELETE FROM events WHERE sequence = 2")
    assert _code(store.open) is ErrorCode.JOURNAL_CORRUPT
    assert _code(store.open, is_read_only=True) is ErrorCode.JOURNAL_CORRUPT


def test_a_journal_of_another_history_does_not_open(store: Store, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with Store(tmp_path / "other").opened() as other:
        other.append([drill(7)])
    with store.opened() as journal:
        journal.append([drill(1)])
    stands = witness_path(store.witnessed_at)
    stands.write_bytes(witness_path(tmp_path / "other" / "journal.sqlite").read_bytes())
    assert _code(store.open) is ErrorCode.JOURNAL_CORRUPT


def test_closing_twice_is_allowed_and_loses_nothing(store: Store) -> None:
    journal = store.open()
    head = journal.append([drill(1)])
    journal.close()
    journal.close()
    with store.opened() as again:
        assert again.head() == head
