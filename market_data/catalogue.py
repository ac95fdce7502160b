"""Which instruments exist here: the recorded ones and whatever was imported.

Shell. Ids are exact; an unknown one is answered with the list of known ones. One damaged file
never hides the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from home.paths import Home
from market_data.import_report import ImportReport
from market_data.lake import lake_bars, lake_entry, lake_ids
from market_data.recorded import RECORDINGS, recorded_bars
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.instruments import Instrument
from when_to_invest.market import BarSeries


def instrument(home: Home, instrument_id: str) -> Instrument:
    """Return what is known of an instrument.

    Raises:
        Fault: `unknown_instrument`, listing the known ids.
    """
    if instrument_id in RECORDINGS:
        return RECORDINGS[instrument_id].instrument
    entry = lake_entry(home, instrument_id)
    if entry is None:
        raise _unknown(home, instrument_id)
    return entry.instrument


@dataclass(frozen=True, slots=True)
class Damaged:
    """An imported instrument whose files cannot be read, and why."""

    id: str
    fault: Fault


def list_instruments(home: Home) -> tuple[Instrument, ...]:
    """Return the recorded instruments, then by id the imported ones that can be read."""
    imported = (each for each in _imported(home) if isinstance(each, Instrument))
    return (*(recording.instrument for recording in RECORDINGS.values()), *imported)


def damaged_instruments(home: Home) -> tuple[Damaged, ...]:
    """Return the imported instruments that `list_instruments` leaves out, by id."""
    return tuple(each for each in _imported(home) if isinstance(each, Damaged))


def _imported(home: Home) -> Iterator[Instrument | Damaged]:
    for found in lake_ids(home):
        try:
            yield instrument(home, found)
        except Fault as fault:
            yield Damaged(found, fault)


@dataclass(frozen=True, slots=True)
class Checked:
    """The reports of the imports whose bars are whole, and what is damaged."""

    sound: tuple[ImportReport, ...]
    damaged: tuple[Damaged, ...]


def checked_imports(home: Home) -> Checked:
    """Read every imported bar again, and return how each instrument's files are."""
    sound: list[ImportReport] = []
    damaged: list[Damaged] = []
    for found in lake_ids(home):
        try:
            entry = lake_entry(home, found)
            if entry is not None:
                lake_bars(entry)
                sound.append(entry.report)
        except Fault as fault:
            damaged.append(Damaged(found, fault))
    return Checked(tuple(sound), tuple(damaged))


def bars_of(home: Home, instrument_id: str) -> BarSeries:
    """Return every bar of an instrument, also those after any as-of; read-only arrays.

    Only `source` may hand bars on, after cutting them at an instant.

    Raises:
        Fault: `unknown_instrument`, `no_data` or `corrupt_data`.
    """
    if instrument_id in RECORDINGS:
        return recorded_bars(instrument_id)
    entry = lake_entry(home, instrument_id)
    if entry is None:
        raise _unknown(home, instrument_id)
    return lake_bars(entry)


def _unknown(home: Home, instrument_id: str) -> Fault:
    known = ", ".join((*RECORDINGS, *lake_ids(home)))
    return Fault(
        ErrorCode.UNKNOWN_INSTRUMENT,
        f"there is no instrument {instrument_id[:40]!r}; known are {known}",
        fix="choose one of them, or `when-to-invest data import FILE --instrument ID --interval 1d`",
    )
