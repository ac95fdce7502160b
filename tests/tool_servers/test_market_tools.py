"""The market server reads, analyses and archives; it never looks past the home's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from home.clock import ReplayClock
from home.paths import Home
from market_data.archive import load
from tests.tool_servers.calling import answer_of, call, error_of
from tool_servers.assembly import ToolServer
from tool_servers.market.main import build

NOW = datetime(2018, 6, 1, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("home"))
    ReplayClock(made.clock).move_to(NOW)
    return made


@pytest.fixture(scope="module")
def server(home: Home) -> ToolServer:
    return build(home)


def ask(server: ToolServer, name: str, mode: str, **arguments: Any) -> dict[str, Any]:
    return answer_of(call(server, name, arguments, mode=mode))


def test_a_recommendation_is_archived_with_its_data(home: Home, server: ToolServer, mode: str) -> None:
    told = ask(server, "get_recommendation", mode, instrument="SPX")
    recommendation, snapshot = load(home, told["id"])
    assert recommendation.model_dump(mode="json") == told
    assert snapshot.hash == told["snapshot_hash"]
    assert told["as_of"] == "2018-06-01T23:00:00Z"


def test_the_same_question_again_is_the_same_answer(server: ToolServer, mode: str) -> None:
    first = ask(server, "get_recommendation", mode, instrument="SPX", horizon_days=10)
    assert ask(server, "get_recommendation", mode, instrument="SPX", horizon_days=10) == first


def test_a_holder_is_answered_from_what_is_held(home: Home, server: ToolServer, mode: str) -> None:
    free = ask(server, "get_recommendation", mode, instrument="SPX")
    held = ask(server, "get_recommendation", mode, instrument="SPX", held_fraction=1.0)
    assert (free["held_fraction"], held["held_fraction"]) == (0.0, 1.0)
    assert held["action"] in {"hold", "reduce"}
    assert held["id"] != free["id"]
    assert load(home, held["id"])[0].held_fraction == 1.0


def test_risk_and_breakers_are_the_recommendations_own(server: ToolServer, mode: str) -> None:
    told = ask(server, "get_recommendation", mode, instrument="SPX")
    risk = ask(server, "get_risk", mode, instrument="SPX")
    breakers = ask(server, "get_breakers", mode, instrument="SPX")
    assert risk["recommendation_id"] == breakers["recommendation_id"] == told["id"]
    assert risk["risk"] == told["risk"]
    assert breakers["breakers"] == told["breakers"]


def test_a_snapshot_shows_the_newest_closed_bars(server: ToolServer, mode: str) -> None:
    told = ask(server, "get_snapshot", mode, instrument="SPX")
    assert told["data_as_of"] == told["newest"][-1]["closed_at"] == "2018-06-01T21:00:00Z"
    assert told["newest"][-1]["close_usd"] == "2734.620117"
    assert len(told["newest"]) == 5


def test_an_earlier_date_shows_nothing_later(server: ToolServer, mode: str) -> None:
    told = ask(server, "get_snapshot", mode, instrument="SPX", as_of="2008-09-15")
    assert told["as_of"] == "2008-09-15T23:59:59Z"
    assert told["data_as_of"] == "2008-09-15T21:00:00Z"


def test_instruments_are_listed_with_their_names_as_outside_text(server: ToolServer, mode: str) -> None:
    rows = {row["id"]: row for row in ask(server, "list_instruments", mode)["instruments"]}
    assert {"SPX", "IXIC", "USMKT"} <= set(rows)
    assert rows["SPX"]["name"].startswith("⟦untrusted⟧")
    assert not rows["USMKT"]["has_volume"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"instrument": "NOPE"}, "unknown_instrument"),
        ({"instrument": "SPX", "as_of": "2018-12-01"}, "bad_argument"),
        ({"instrument": "SPX", "as_of": "yesterday"}, "bad_argument"),
        ({"instrument": "SPX", "as_of": "1998-01-01"}, "as_of_before_data"),
        ({"instrument": "X" * 25}, "bad_argument"),
        ({}, "bad_argument"),
    ],
    ids=["unknown", "future", "no date", "before the data", "too long", "missing"],
)
def test_what_cannot_be_answered_says_why(
    server: ToolServer, mode: str, arguments: dict[str, str], code: str
) -> None:
    for tool in ("get_snapshot", "get_recommendation", "get_risk", "get_breakers"):
        assert error_of(call(server, tool, arguments, mode=mode))["code"] == code


@pytest.mark.parametrize("horizon_days", [0, 253, -1])
def test_a_horizon_is_a_trading_year_at_most(server: ToolServer, mode: str, horizon_days: int) -> None:
    asked = {"instrument": "SPX", "horizon_days": horizon_days}
    assert error_of(call(server, "get_risk", asked, mode=mode))["code"] == "bad_argument"


def test_before_any_replay_the_newest_bar_is_now(tmp_path: Path, mode: str) -> None:
    told = ask(build(Home(tmp_path)), "get_snapshot", mode, instrument="SPX")
    assert told["as_of"] == told["data_as_of"]
    assert told["as_of"] > "2018-12"
