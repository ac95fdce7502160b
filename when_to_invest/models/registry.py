"""Cards of the models: what each is, what it learnt from, how it did, and where it stands.

Stage: models. Reads the origin that the pooled lessons' file records, nothing else. A card is
the same bytes for the same contest and code; it describes, and switches nothing.
"""

from __future__ import annotations

import json
from enum import StrEnum, unique
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

from when_to_invest.models.contest_scores import Contest, Entry, Estimate
from when_to_invest.models.learners import CHALLENGERS
from when_to_invest.models.pooled_learners import POOLED_CHALLENGERS, VARIANTS_TRIED
from when_to_invest.values import Hash, Value

_PRIOR: Final = "pooled.json"
_KNOWN: Final = {each.name: each for each in (*CHALLENGERS, *POOLED_CHALLENGERS)}
_VARIANTS: Final = {each.name: VARIANTS_TRIED for each in POOLED_CHALLENGERS}
_LIBRARIES: Final = {"incumbent": ("numpy",), "challenger": ("numpy", "scikit-learn")}


@unique
class Standing(StrEnum):
    """`INCUMBENT` recommends; a challenger is `PROMOTED` once it beat the incumbent beyond doubt."""

    INCUMBENT = "incumbent"
    CHALLENGER = "challenger"
    PROMOTED = "promoted"


class DataOrigin(Value):
    """One series that a model learnt from or was judged on, and the hash it had."""

    name: str
    sha256: Hash


class Score(Value):
    """One figure of a card."""

    name: str
    estimate: Estimate


class ModelCard(Value):
    """One model in one contest.

    `what`: the equation or the learner. `learnt_from`: what its parameters had seen, dated or
    purged so that no judged day was known. `judged_on`: the snapshot of the contest. `start`,
    `end`, `n`: the judged days. `variants_tried`: settings compared before this one was kept.
    """

    name: str
    standing: Standing
    source: str
    what: str
    instrument: str
    horizon_days: int
    threshold_ratio: float
    start: str
    end: str
    n: int
    falls: int
    seed: int
    brier: float
    scores: tuple[Score, ...]
    variants_tried: int
    learnt_from: tuple[DataOrigin, ...]
    judged_on: DataOrigin
    code_version: Hash
    libraries: tuple[str, ...]


class PriorOrigin(Value):
    """What the file of pooled lessons says of its making."""

    made_by: str
    variants_tried: int
    data: tuple[DataOrigin, ...]


def shipped_origin() -> PriorOrigin:
    """Return the recorded origin of the lessons that ship with the package."""
    text = files("when_to_invest.models").joinpath("priors", _PRIOR).read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return PriorOrigin(
        made_by=document["made_by"],
        variants_tried=document["variants_tried"],
        data=tuple(DataOrigin(name=name, sha256=each) for name, each in sorted(document["data"].items())),
    )


def model_cards(
    found: Contest, *, code_version: str, origin: PriorOrigin | None = None
) -> tuple[ModelCard, ...]:
    """Return the incumbent's card, then the challengers' in the order of the contest.

    Args:
        found: who was judged, and how it came out.
        code_version: hash of the analysis code that ran the contest.
        origin: of the incumbent's pooled lessons; None takes what ships.
    """
    taught = shipped_origin() if origin is None else origin
    incumbent = _card(
        found,
        found.incumbent,
        standing=Standing.INCUMBENT,
        source="when_to_invest.models.fall_odds; lessons made by " + taught.made_by,
        what="odds = base + trust (logistic(b . [z, z^2, volatility slopes, products]) - base)",
        variants_tried=taught.variants_tried,
        learnt_from=taught.data,
        code_version=code_version,
        libraries=_libraries("incumbent"),
    )
    return (incumbent, *(_challenger(found, each, code_version) for each in found.challengers))


def cards_json(cards: tuple[ModelCard, ...]) -> list[dict[str, Any]]:
    """Return the cards as plain JSON values, in their order."""
    return [card.model_dump(mode="json") for card in cards]


def _challenger(found: Contest, entry: Entry, code_version: str) -> ModelCard:
    challenger = _KNOWN[entry.name]
    return _card(
        found,
        entry,
        standing=Standing.PROMOTED if entry.is_promoted else Standing.CHALLENGER,
        source=challenger.source,
        what=challenger.what,
        variants_tried=_VARIANTS.get(entry.name, 1),
        learnt_from=_teachers(found, entry.name),
        code_version=code_version,
        libraries=_libraries("challenger"),
    )


def _teachers(found: Contest, name: str) -> tuple[DataOrigin, ...]:
    """Return the pool for a pooled challenger, the instrument's own past for any other."""
    if any(each.name == name for each in POOLED_CHALLENGERS):
        return tuple(DataOrigin(name=each, sha256=known) for each, known in sorted(found.pool.items()))
    return (DataOrigin(name=found.instrument, sha256=found.snapshot_hash),)


def _card(found: Contest, entry: Entry, **known: Any) -> ModelCard:
    return ModelCard(
        name=entry.name,
        instrument=found.instrument,
        horizon_days=found.horizon_days,
        threshold_ratio=found.threshold_ratio,
        start=found.start,
        end=found.end,
        n=found.n,
        falls=found.falls,
        seed=found.seed,
        brier=entry.brier,
        scores=_scores(entry),
        judged_on=DataOrigin(name=found.instrument, sha256=found.snapshot_hash),
        **known,
    )


def _scores(entry: Entry) -> tuple[Score, ...]:
    figures = {
        "skill_vs_climatology": entry.skill_vs_climatology,
        "skill_vs_incumbent": entry.skill_vs_incumbent,
        "gain_vs_incumbent": entry.gain_vs_incumbent,
    }
    return tuple(Score(name=name, estimate=each) for name, each in figures.items() if each is not None)


def _libraries(kind: str) -> tuple[str, ...]:
    return tuple(f"{name}=={version(name)}" for name in _LIBRARIES[kind])
