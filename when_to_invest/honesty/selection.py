"""What the best of many is worth: ranked, deflated by everything that was tried, and tried again.

Stage: honesty (pure, exact). Sharpe ratios here are annual unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import Fault
from when_to_invest.honesty.overfitting import BLOCKS, Overfitting, probability_of_overfitting
from when_to_invest.honesty.sharpe import luck_hurdle, moments
from when_to_invest.honesty.trials import TrialLedger, deflate

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

SURE: Final = 0.95
COIN: Final = 0.5
_FEWEST: Final = 2
_STILL: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Chosen:
    """Configuration number `place` of the table.

    `deflated`: probability that its true Sharpe ratio exceeds what luck gives the best of all
    trials; None where its returns are too few or never vary.
    """

    place: int
    sharpe: float
    deflated: float | None


@dataclass(frozen=True, slots=True)
class Selection:
    """The best configurations and what picking the best of all was worth.

    `trials`: everything tried, earlier sweeps included. `hurdle`: Sharpe ratio expected of the
    best of as many worthless ones. `overfitting` is None with one configuration or a record too
    short; its Sharpe ratios are per bar.
    """

    best: tuple[Chosen, ...]
    trials: int
    hurdle: float
    overfitting: Overfitting | None
    bars_per_year: float

    @property
    def is_beyond_luck(self) -> bool:
        """Whether the best one probably owes its rank to more than luck: both tests must say so."""
        surely = self.best[0].deflated
        kept = self.overfitting is None or self.overfitting.probability < COIN
        return surely is not None and surely >= SURE and kept


def sharpe_ratios(excess: FloatArray) -> FloatArray:
    """Return the Sharpe ratio per bar (k,) of (k, m) excess returns; 0 where they never vary."""
    import numpy as np

    spread = excess.std(axis=1, ddof=1)
    is_still = spread <= _STILL
    ratios: FloatArray = np.where(is_still, 0.0, excess.mean(axis=1) / np.where(is_still, 1.0, spread))
    return ratios


def select(
    excess: FloatArray, ledger: TrialLedger, *, family: str, bars_per_year: float, best: int
) -> Selection:
    """Judge the `best` configurations of a sweep whose trials stand in the ledger already.

    Args:
        excess: (k, m) returns above cash, one row a configuration.
        ledger: all trials, those of this sweep included.
        family: which of them compete.
        bars_per_year: bars that the record really has a year.
        best: how many to return, by Sharpe ratio; equal ones in the order of the table.

    Raises:
        Fault: `bad_argument` when a return is not finite.
    """
    import numpy as np

    ratios, to_year = sharpe_ratios(excess), sqrt(bars_per_year)
    spread = float(ratios.std(ddof=1)) if len(ratios) >= _FEWEST else 0.0
    order = np.argsort(-ratios, kind="stable")[:best]
    dispersion = max(spread, ledger.dispersion(family))
    chosen = tuple(
        Chosen(
            place=int(place),
            sharpe=float(ratios[place]) * to_year,
            deflated=_deflated(excess[place], ledger, family=family, dispersion=dispersion),
        )
        for place in order
    )
    trials = max(1, len(ledger.distinct(family)))
    return Selection(
        best=chosen,
        trials=trials,
        hurdle=luck_hurdle(trials, dispersion=dispersion) * to_year,
        overfitting=_overfitting(excess),
        bars_per_year=bars_per_year,
    )


def _deflated(excess: FloatArray, ledger: TrialLedger, *, family: str, dispersion: float) -> float | None:
    try:
        record = moments(excess)
    except Fault:
        return None
    return deflate(record, ledger, family=family, earlier_dispersion=dispersion).probability


def _overfitting(excess: FloatArray) -> Overfitting | None:
    if len(excess) < _FEWEST or excess.shape[1] < 2 * BLOCKS:
        return None
    return probability_of_overfitting(excess.T)
