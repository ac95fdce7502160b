"""Which rows may be learnt from before which rows are judged.

Stage: honesty (pure). A label at row r is made of bars r + 1 to r + horizon. Purging drops
training rows whose label reaches into the judged rows; the embargo leaves a further gap as
long as features remember. Source: Lopez de Prado (2018), "Advances in Financial Machine
Learning", chapters 7 and 12. Use the combinations to select, walking forward to report.

# INVARIANT: no training label shares a bar with a judged label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from when_to_invest.market import FloatArray

    IndexArray = NDArray[np.int64]

MOST_COMBINATIONS: Final = 20_000


@dataclass(frozen=True)
class Split:
    """Row numbers, increasing: learn from `train`, judge on `test`."""

    train: IndexArray
    test: IndexArray


@dataclass(frozen=True)
class CombinatorialPlan:
    """All ways to hold out k of the groups, and how they chain into whole histories.

    `groups[g]`: rows (start, stop). `held[s]`: the groups judged by split s. `paths[p][g]`: the
    split whose forecasts path p uses for group g; each path covers every row once.
    """

    count: int
    groups: tuple[tuple[int, int], ...]
    held: tuple[tuple[int, ...], ...]
    splits: tuple[Split, ...]
    paths: tuple[tuple[int, ...], ...]

    def assemble(self, forecasts: Sequence[FloatArray]) -> FloatArray:
        """Return the (paths, count) forecasts, from each split's forecasts for its `test` rows.

        Raises:
            Fault: `bad_argument` when a split's forecasts are missing or of another length.
        """
        import numpy as np

        lengths = [len(each) for each in forecasts]
        if lengths != [len(split.test) for split in self.splits]:
            raise _bad("the forecasts do not fit the splits", fix="pass one array a split, in order")
        whole = np.full((len(self.splits), self.count), np.nan)
        for row, split, given in zip(whole, self.splits, forecasts, strict=True):
            row[split.test] = given
        result = np.empty((len(self.paths), self.count))
        for path, chosen in zip(result, self.paths, strict=True):
            for split_number, (start, stop) in zip(chosen, self.groups, strict=True):
                path[start:stop] = whole[split_number, start:stop]
        return result


def walk_forward(count: int, *, first: int, step: int, horizon: int, embargo: int = 0) -> tuple[Split, ...]:
    """Return expanding splits of `count` rows; rows `first` on are judged, `step` at a time.

    Training ends `horizon + embargo` rows before the judged rows begin, so its labels are
    finished, and `embargo` rows old, when they are learnt from.

    Raises:
        Fault: `bad_argument` for nonsense, or when nothing could be learnt before `first`.
    """
    import numpy as np

    if step < 1 or horizon < 1 or embargo < 0 or not horizon + embargo < first < count:
        raise _bad(
            f"{count} rows cannot be walked from {first} in steps of {step} with labels of {horizon} "
            f"and an embargo of {embargo}",
            fix="begin later, or shorten horizon and embargo",
        )
    return tuple(
        Split(
            train=np.arange(start - horizon - embargo),
            test=np.arange(start, min(start + step, count)),
        )
        for start in range(first, count, step)
    )


def combinatorial(
    count: int, *, groups: int, held_out: int, horizon: int, embargo: int = 0
) -> CombinatorialPlan:
    """Return the purged, embargoed combinations of `held_out` of `groups` groups (CPCV).

    C(groups, held_out) splits give C(groups - 1, held_out - 1) paths. Training rows keep a
    `horizon` before judged rows, and `horizon + embargo` after them.

    Raises:
        Fault: `bad_argument` for nonsense, or when some split would leave nothing to learn from.
    """
    import numpy as np

    if horizon < 1 or embargo < 0 or not 1 <= held_out < groups <= count:
        raise _bad(
            f"{held_out} of {groups} groups of {count} rows cannot be held out",
            fix="hold out fewer groups than there are, of at least one row each",
        )
    if comb(groups, held_out) > MOST_COMBINATIONS:
        raise _bad("there are too many combinations", fix=f"stay below {MOST_COMBINATIONS}")
    edges = [count * number // groups for number in range(groups + 1)]
    bounds = tuple(pairwise(edges))
    held = tuple(combinations(range(groups), held_out))
    splits = []
    for chosen in held:
        is_test, is_train = np.zeros(count, dtype=bool), np.ones(count, dtype=bool)
        for start, stop in (bounds[group] for group in chosen):
            is_test[start:stop] = True
            is_train[max(0, start - horizon) : stop + horizon + embargo] = False
        if not is_train.any():
            raise _bad("a split leaves nothing to learn from", fix="hold out less, or shorten the embargo")
        splits.append(Split(train=np.flatnonzero(is_train), test=np.flatnonzero(is_test)))
    return CombinatorialPlan(count, bounds, held, tuple(splits), _paths(groups, held))


def _paths(groups: int, held: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """Give path p, for each group, the p-th split that judged the group."""
    judged = [[number for number, chosen in enumerate(held) if group in chosen] for group in range(groups)]
    return tuple(zip(*judged, strict=True))


def _bad(message: str, *, fix: str) -> Fault:
    return Fault(ErrorCode.BAD_ARGUMENT, message, fix=fix)
