"""A seal counts while its key's window holds, to the microsecond, and a stranger's never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from policies.seal_keys import SealKeys
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.keyholders import SealKey

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
FOUNDING, ADDED, STRANGER = ("0x" + digit * 40 for digit in "abc")


@pytest.fixture
def keys() -> SealKeys:
    made = SealKeys(anchors=frozenset({FOUNDING}))
    made.add(SealKey(address=ADDED, not_before=NOON, not_after=NOON + timedelta(hours=1)))
    return made


def counts(keys: SealKeys, address: str, now: datetime) -> bool:
    """Whether the key may seal now, which must agree with whose seals are believed."""
    if address.lower() in keys.trusted(now, sealed_at=now):
        keys.demand(address, now=now)
        return True
    with pytest.raises(Fault) as caught:
        keys.demand(address, now=now)
    assert caught.value.code is ErrorCode.KEY_MISSING
    assert address in caught.value.message
    assert "keys list" in caught.value.fix
    return False


def test_an_added_key_counts_within_its_window_and_at_both_ends(keys: SealKeys) -> None:
    ends = NOON + timedelta(hours=1)
    assert [counts(keys, ADDED, when) for when in (NOON - MOMENT, NOON, ends, ends + MOMENT)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_founding_key_counts_from_ever_until_it_is_retired(keys: SealKeys) -> None:
    assert counts(keys, FOUNDING, NOON - timedelta(days=9_999))
    keys.retire(FOUNDING, not_after=NOON)
    assert counts(keys, FOUNDING, NOON)
    assert not counts(keys, FOUNDING, NOON + MOMENT)


def test_an_end_only_comes_earlier(keys: SealKeys) -> None:
    keys.retire(ADDED, not_after=NOON + timedelta(hours=9))
    assert not counts(keys, ADDED, NOON + timedelta(hours=2))
    keys.retire(ADDED, not_after=NOON + timedelta(minutes=1))
    assert not counts(keys, ADDED, NOON + timedelta(minutes=2))


def test_a_stranger_s_key_never_counts_and_letters_do_not_matter(keys: SealKeys) -> None:
    assert not counts(keys, STRANGER, NOON)
    assert counts(keys, "0x" + "A" * 40, NOON)
