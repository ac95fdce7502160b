"""What stands on the pictures: words apart from each other and from data, gaps left open, levels drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from cli.reports import chart as charts
from cli.reports.backtest_picture import backtest_picture
from cli.reports.forecast_pictures import odds_picture, range_picture, runs
from cli.reports.position_pictures import price_picture, ways_lost, wealth_picture
from cli.reports.price_panel import levels_of
from cli.reports.recommendation_picture import headline, recommendation_picture, track_record
from cli.reports.reliability_picture import grouped, limit, reliability_picture
from cli.reports.style import drawing, share
from cli.reports.wealth_panels import compared, wealth_path
from home.paths import Home
from tests.fakes.fake_bars import DAY_US, daily_snapshot, instrument, series, snapshot_of, weekdays
from tests.fakes.recommendations import recommendation
from when_to_invest.backtest.named import NAMED
from when_to_invest.backtest.report import run_backtest
from when_to_invest.backtest.trial import make_trial
from when_to_invest.decision.recommend import recommend
from when_to_invest.decision.recommendation import Action, Recommendation
from when_to_invest.evaluation.evaluate import Judged, evaluate
from when_to_invest.evaluation.report import PeriodScore
from when_to_invest.instruments import Session
from when_to_invest.market import BarSeries, Snapshot

COUNT = 1400
SLACK = 1.0
"""Pixels by which boxes of letters may touch."""


@pytest.fixture(autouse=True)
def style(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with drawing(Home(tmp_path_factory.mktemp("home")).make().run / "drawing"):
        yield


def scaled(found: BarSeries, factor: float) -> BarSeries:
    prices = (factor * each for each in (found.open, found.high, found.low, found.close))
    return BarSeries(found.opened_us, *prices, found.volume)


def with_hole(found: BarSeries, start: int, stop: int) -> BarSeries:
    kept = np.r_[0:start, stop : len(found)]
    columns = (found.opened_us, found.open, found.high, found.low, found.close, found.volume)
    return BarSeries(*(column[kept] for column in columns))


def holed() -> Snapshot:
    """Return weekdays of which more than half a year is missing, inside what every picture shows."""
    return snapshot_of(with_hole(series(weekdays(COUNT), seed=3), COUNT - 300, COUNT - 150))


def tiny() -> Snapshot:
    """Return a price of millionths that is open every day."""
    opened = (15_000 + np.arange(COUNT)) * DAY_US
    found = scaled(series(opened, seed=5, drift=0.0004), 1e-8)
    rounded = replace(found, close=np.round(found.close, 14), low=found.low * 0.99, high=found.high * 1.01)
    return snapshot_of(rounded, instrument(session=Session.CONTINUOUS))


def huge() -> Snapshot:
    return snapshot_of(scaled(series(weekdays(COUNT), seed=11, drift=-0.001), 1e6))


CASES = {"plain": lambda: daily_snapshot(COUNT, seed=7), "holed": holed, "tiny": tiny, "huge": huge}


@pytest.fixture(scope="module", params=CASES)
def seen(request: pytest.FixtureRequest) -> Snapshot:
    return CASES[request.param]()


@pytest.fixture(scope="module")
def judged(seen: Snapshot) -> Judged:
    return evaluate(seen)


def pictures(found: Judged, snapshot: Snapshot) -> list[Figure]:
    made, courses = found.forecasts, found.courses
    assert made is not None
    assert courses is not None
    return [
        price_picture("FAKE", charts.chart_of(snapshot), courses),
        wealth_picture("FAKE", courses, found.evaluation.overlay),
        odds_picture(made),
        reliability_picture(made),
        range_picture(made),
    ]


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    """Return the box of every text that can be seen: titles, notes, numbers of axes and keys."""
    figure.canvas.draw()
    texts = list(figure.texts)
    for legend in figure.legends:
        texts += legend.get_texts()
    for axes in figure.axes:
        texts += [*axes.texts, axes.xaxis.label, axes.yaxis.label]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = axis.get_major_ticks()
            texts += [tick.label1 for tick in ticks if low <= tick.get_loc() <= high]
    return [
        (text.get_text(), text.get_window_extent())
        for text in texts
        if text.get_visible() and text.get_text().strip()
    ]


def crossings(figure: Figure) -> list[tuple[str, str]]:
    return [
        (one, two)
        for (one, a), (two, b) in combinations(boxes(figure), 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > SLACK and min(a.y1, b.y1) - max(a.y0, b.y0) > SLACK
    ]


def outside(figure: Figure) -> list[str]:
    page = figure.bbox
    return [
        text
        for text, box in boxes(figure)
        if box.x0 < page.x0 - SLACK or box.x1 > page.x1 + SLACK or box.y0 < 0 or box.y1 > page.y1 + SLACK
    ]


def keys_on_data(figure: Figure) -> int:
    panels = [axes.get_window_extent() for axes in figure.axes]
    legends = [legend.get_window_extent() for legend in figure.legends]
    return sum(panel.overlaps(key) for panel in panels for key in legends)


def is_clean(figure: Figure) -> bool:
    assert crossings(figure) == []
    assert outside(figure) == []
    assert keys_on_data(figure) == 0
    assert all(axes.get_legend() is None for axes in figure.axes)
    return True


@pytest.mark.parametrize("horizon", [5, 21, 126])
def test_no_words_meet_on_a_recommendation(seen: Snapshot, horizon: int) -> None:
    assert is_clean(recommendation_picture(recommend(seen, horizon_days=horizon), seen))


def test_no_words_meet_on_an_evaluation(seen: Snapshot, judged: Judged) -> None:
    assert all(is_clean(figure) for figure in pictures(judged, seen))


@pytest.mark.parametrize("action", Action)
def test_no_words_meet_whatever_the_action(action: Action) -> None:
    shown = daily_snapshot(COUNT, seed=7)
    answer = recommendation(action)
    assert is_clean(recommendation_picture(answer, shown))
    assert headline(answer).startswith("SPX, 31 December 2018: ")


def test_panels_begin_at_one_left_edge(seen: Snapshot, judged: Judged) -> None:
    drawn = pictures(judged, seen)
    edges = {round(figure.axes[0].get_position().x0 * figure.get_figwidth(), 3) for figure in drawn}
    assert len(edges) == 1


def bridged(figure: Figure, hole: tuple[float, float]) -> list[str]:
    """Return the lines that cross a hole with a straight stroke."""
    low, high = hole
    crossing = []
    for axes in figure.axes:
        for line in axes.lines:
            x, y = (np.asarray(column, dtype=float) for column in (line.get_xdata(), line.get_ydata()))
            if len(x) > 2:  # levels and diagonals have two ends
                known = np.isfinite(y)
                pairs = known[:-1] & known[1:]
                inside = (x[:-1] <= low) & (x[1:] >= high)
                crossing += [str(line)] if bool((pairs & inside).any()) else []
    return crossing


def test_nothing_is_drawn_across_a_gap() -> None:
    shown = holed()
    dates = charts.chart_of(shown).date
    (row,) = charts.gap_rows(dates)
    hole = (charts.place_of(dates[row - 1]), charts.place_of(dates[row]))
    found = evaluate(shown)
    drawn = [*pictures(found, shown), recommendation_picture(recommend(shown), shown)]
    for figure in drawn:
        for axes in figure.axes:
            for line in axes.lines:
                line.set_xdata(_days(line.get_xdata()))
        assert bridged(figure, hole) == []
    told = [text.get_text() for figure in drawn for key in figure.legends for text in key.get_texts()]
    assert told.count("no data") == 5


def _days(column: object) -> np.ndarray:
    values = np.asarray(column)
    is_date = np.issubdtype(values.dtype, np.datetime64)
    return values.astype("datetime64[D]").astype(float) if is_date else values.astype(float)


def test_closed_days_are_no_gap() -> None:
    week_off = np.delete(weekdays(400), np.arange(100, 104))  # the exchange closed from Tuesday to Friday
    assert not len(charts.gap_rows(charts.dates_of(week_off)))
    months = np.arange("1990-01", "2000-01", dtype="datetime64[M]").astype("datetime64[D]")
    assert not len(charts.gap_rows(months))
    assert charts.gap_rows(np.delete(months, 50)).tolist() == [50]


def test_a_lone_day_is_shaded_and_a_gap_parts_runs() -> None:
    days = np.array(["2020-01-01", "2020-01-02", "2020-01-03", "2020-03-02", "2020-03-03"], "datetime64[D]")
    lengths = [int((stop - start).astype(int)) for start, stop in runs(days, np.array([1, 0, 1, 1, 0]) == 1)]
    assert lengths == [1, 1, 1]


def levels_drawn(figure: Figure) -> set[float]:
    ends = [np.asarray(line.get_ydata(), dtype=float) for axes in figure.axes for line in axes.lines]
    return {float(y[0]) for y in ends if len(y) == 2 and y[0] == y[1]}


def test_the_level_that_changes_the_answer_is_drawn_and_told(seen: Snapshot) -> None:
    answer = recommend(seen)
    figure = recommendation_picture(answer, seen)
    near = {each.value for each in answer.invalidation if each.metric == "chart.close"}
    told = " ".join(text.get_text() for key in figure.legends for text in key.get_texts())
    assert levels_drawn(figure) >= near or "off the picture" in told
    assert {level.value for level in levels_of(answer)} >= near
    assert "trend turns" in told or not near


def test_ranges_ahead_end_at_the_figures_given(seen: Snapshot) -> None:
    answer = recommend(seen)
    ahead = recommendation_picture(answer, seen).axes[1]
    close = float(charts.chart_of(seen).close[-1])
    edges = [area.get_paths()[0].vertices[:, 1] for area in ahead.collections]
    drawn = sorted((float(y.min()) / close - 1.0, float(y.max()) / close - 1.0) for y in edges)
    given = sorted((band.low, band.high) for band in answer.return_interval)
    assert np.allclose(drawn, given, atol=1e-4)


def test_nothing_is_rounded_away() -> None:
    assert [share(each) for each in (0.0, 0.00024, 0.012, 0.0996, 0.41, 0.9969, 1.0)] == [
        "0%", "<0.1%", "1.2%", "10%", "41%", ">99%", "100%",
    ]  # fmt: skip


def test_both_ways_of_losing_are_marked() -> None:
    def period(ours: float, *, is_lost: bool) -> PeriodScore:
        return PeriodScore(
            start="2009-01-02", end="2013-12-31", return_ratio=ours, return_buy_hold_ratio=1.05, sharpe=0.9,
            sharpe_buy_hold=0.8, max_drawdown_ratio=0.1, max_drawdown_buy_hold_ratio=0.2, is_lost=is_lost,
        )  # fmt: skip

    assert ways_lost(period(0.56, is_lost=False)) == ("less return",)
    assert ways_lost(period(1.2, is_lost=True)) == ("lower Sharpe",)
    assert ways_lost(period(0.56, is_lost=True)) == ("less return", "lower Sharpe")
    assert ways_lost(period(1.2, is_lost=False)) == ()


def test_reliability_axes_end_near_the_points_and_leave_no_day_out() -> None:
    odds = np.concatenate((np.full(300, 0.02), np.full(15, 0.4)))
    came = (np.arange(315) % 9 == 0).astype(float)
    points = grouped(odds, came, horizon=21)
    end = limit(points, rate=float(came.mean()))
    assert max(max(each.said, each.came) for each in points) < end <= 0.5
    assert sum((each.area - 40.0) / 400.0 for each in points) == pytest.approx(1.0)


def test_a_backtest_is_drawn_beside_holding_and_monthly_parts(seen: Snapshot) -> None:
    trial = make_trial(seen, first=250)
    result = run_backtest(NAMED["trend_vol"].make(), trial)
    figure = backtest_picture(result, trial)
    assert is_clean(figure)
    words = " ".join(text.get_text() for key in figure.legends for text in key.get_texts())
    assert all(name in words for name in ("trend_vol", "buying and holding", "a twelfth a month"))
    assert len([line for line in figure.axes[0].lines if len(line.get_xdata()) > 2]) == 3


def test_falls_within_a_day_count_although_one_close_is_drawn() -> None:
    path = wealth_path("ours", np.array([1.0, 0.5, 1.0, 2.0]), last=np.array([2, 3]))
    other = wealth_path("holding", np.array([1.0, 2.0]))
    assert path.falls.tolist() == [-0.5, 0.0]
    assert compared((path, other)) == "+100% with ours, +100% holding; deepest fall 50% against 0%"


def test_first_falls_and_the_regime_are_told() -> None:
    answer: Recommendation = recommendation()
    figure = recommendation_picture(answer, daily_snapshot(COUNT, seed=7))
    words = " ".join(text.get_text() for text in figure.texts)
    assert "by day 22 in 10%" in words
    assert "turbulent market since 14 Dec 2018" in words


def test_the_track_record_on_the_instrument_is_told() -> None:
    answer = recommend(daily_snapshot(COUNT, seed=7))
    assert answer.calibration is not None
    assert answer.calibration.ece is not None
    words = track_record(answer)
    assert f"off by {100.0 * answer.calibration.ece:.1f} points on average" in words
    assert "not known" in track_record(answer.model_copy(update={"calibration": None}))


def test_a_wide_range_ahead_does_not_flatten_the_past() -> None:
    shown = daily_snapshot(COUNT, seed=7)
    answer = recommend(shown)
    wide = answer.return_interval[-1].model_copy(update={"low": -0.6, "high": 6.0})
    figure = recommendation_picture(answer.model_copy(update={"return_interval": (wide,)}), shown)
    assert figure.axes[0].get_yscale() == "log"
    assert is_clean(figure)
