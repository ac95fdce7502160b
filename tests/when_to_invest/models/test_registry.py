from __future__ import annotations

import json
from importlib.resources import files

import numpy as np

from when_to_invest.canonical import canonical_bytes
from when_to_invest.models.challengers import INCUMBENT
from when_to_invest.models.contest_scores import Contest, Rivals
from when_to_invest.models.learners import CHALLENGERS
from when_to_invest.models.registry import Standing, cards_json, model_cards, shipped_origin

CODE = "ab" * 32
DATA = "cd" * 32


def contest_of(*ratios: float) -> Contest:
    """Return a contest whose challengers lose these ratios of the incumbent's loss."""
    loss = np.random.default_rng(0).uniform(0.1, 0.3, 600)
    rivals = Rivals(loss, loss * 1.2, horizon=5, seed=0, challengers=len(ratios))
    return Contest(
        instrument="SPX",
        start="2004-01-02",
        end="2006-05-19",
        horizon_days=5,
        threshold_ratio=0.05,
        seed=0,
        n=600,
        falls=20,
        snapshot_hash=DATA,
        incumbent=rivals.incumbent_entry(INCUMBENT),
        challengers=tuple(
            rivals.entry(each.name, loss * ratio) for each, ratio in zip(CHALLENGERS, ratios, strict=True)
        ),
    )


def test_standings_follow_the_contest() -> None:
    cards = model_cards(contest_of(0.8, 1.1), code_version=CODE)
    assert [card.name for card in cards] == [INCUMBENT, *(each.name for each in CHALLENGERS)]
    assert [card.standing for card in cards] == [
        Standing.INCUMBENT,
        Standing.PROMOTED,
        Standing.CHALLENGER,
    ]


def test_the_incumbent_names_every_series_that_taught_it() -> None:
    path = files("when_to_invest.models").joinpath("priors", "pooled.json")
    recorded = json.loads(path.read_text(encoding="utf-8"))
    incumbent, *others = model_cards(contest_of(1.1, 1.1), code_version=CODE)
    assert {each.name: each.sha256 for each in incumbent.learnt_from} == recorded["data"]
    assert incumbent.variants_tried == recorded["variants_tried"] == shipped_origin().variants_tried
    for card in others:
        assert [(each.name, each.sha256) for each in card.learnt_from] == [("SPX", DATA)]
        assert any(each.startswith("scikit-learn==") for each in card.libraries)


def test_cards_carry_the_figures_of_the_contest() -> None:
    found = contest_of(0.8, 1.1)
    incumbent, better, _ = model_cards(found, code_version=CODE)
    assert [score.name for score in incumbent.scores] == ["skill_vs_climatology"]
    assert {score.name: score.estimate for score in better.scores} == {
        "skill_vs_climatology": found.challengers[0].skill_vs_climatology,
        "skill_vs_incumbent": found.challengers[0].skill_vs_incumbent,
        "gain_vs_incumbent": found.challengers[0].gain_vs_incumbent,
    }
    assert (better.n, better.start, better.code_version, better.judged_on.sha256) == (
        600,
        "2004-01-02",
        CODE,
        DATA,
    )


def test_equal_contests_give_equal_bytes() -> None:
    one, two = (cards_json(model_cards(contest_of(0.8, 1.1), code_version=CODE)) for _ in range(2))
    assert canonical_bytes(one) == canonical_bytes(two)
