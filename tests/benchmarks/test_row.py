"""A figure is judged the right way round, and is never reported without its origin."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmarks import run, targets
from benchmarks.row import Figure, Row, against, median_s, within


def test_twice_as_fast_as_the_peer_is_a_ratio_of_two() -> None:
    row = against("x", Figure(1.0, "s"), peer="other", peer_value=2.0, least_ratio=2.0)
    assert (row.ratio, row.ok) == (2.0, True)


def test_half_the_peers_rate_is_a_ratio_of_a_half() -> None:
    rate = Figure(50.0, "events/s", is_lower_better=False)
    row = against("x", rate, peer="other", peer_value=100.0, least_ratio=1.0)
    assert (row.ratio, row.ok) == (0.5, False)


@pytest.mark.parametrize(
    ("figure", "is_ok"),
    [
        (Figure(0.9, "s"), True),
        (Figure(1.1, "s"), False),
        (Figure(1.1, "1/s", is_lower_better=False), True),
        (Figure(0.9, "1/s", is_lower_better=False), False),
    ],
)
def test_a_bound_is_a_ceiling_for_durations_and_a_floor_for_rates(figure: Figure, *, is_ok: bool) -> None:
    assert within("x", figure, bound=1.0).ok is is_ok


def test_the_median_leaves_out_the_warm_up() -> None:
    calls: list[None] = []
    median_s(lambda: calls.append(None), repeats=4)
    assert len(calls) == 1 + 4


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Row], list[dict[str, Any]]]:
    """Run the command on one made-up claim and read what it recorded."""
    results = tmp_path / "build" / "bench.json"

    def measure(row: Row) -> list[dict[str, Any]]:
        monkeypatch.setattr(run, "RESULTS", results)
        monkeypatch.setattr(run, "measure", lambda _: run.Measured([row], []))
        assert run.main([]) == (0 if row.ok else 1)
        told: list[dict[str, Any]] = json.loads(results.read_text())
        return told

    return measure


@pytest.mark.parametrize("value", [0.5, 1.5])
def test_every_row_is_recorded_with_commit_and_machine(
    value: float, recorded: Callable[[Row], list[dict[str, Any]]]
) -> None:
    told = recorded(within("x", Figure(value, "s"), bound=1.0))
    keys = {"name", "value", "unit", "peer", "peer_value", "ratio", "target", "ok", "commit", "machine"}
    assert set(told[0]) == keys
    assert told[0]["commit"]
    assert told[0]["machine"]


def test_a_benchmark_nobody_wrote_is_an_unusable_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().out


def test_every_benchmark_file_is_found_and_has_rows() -> None:
    files = {path.stem for path in Path(run.__file__).parent.glob("*.py")}
    assert set(run.claims()) == files - {
        "__init__",
        "fit_dynamics",
        "long_journal",
        "fit_priors",
        "markets",
        "page",
        "provenance",
        "row",
        "run",
        "sealed_orders",
    }


def test_a_run_of_everything_measures_nothing_twice() -> None:
    within_targets = {module.__name__.rpartition(".")[2] for module in targets.OTHERS}
    assert run.WITHIN_TARGETS - within_targets == {"odds_skill"}
    assert within_targets <= run.WITHIN_TARGETS <= set(run.claims())


def test_the_last_line_counts_and_names_what_was_missed(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [within(name, Figure(value, "s"), bound=1.0) for name, value in (("a", 0.5), ("b", 2.0))]
    assert run.summary(rows) == "1 ok, 1 missed: b"
    assert run.summary(rows[:1]) == "1 ok, 0 missed"


def test_peers_that_do_not_run_are_a_miss_and_not_the_end() -> None:
    def absent() -> list[Row]:
        raise FileNotFoundError("uv")

    module = ModuleType("benchmarks.speedy")
    module.rows = absent  # type: ignore[attr-defined]
    (row,) = targets._rows_or_a_miss(module)
    assert not row.ok
    assert "speedy" in row.name
