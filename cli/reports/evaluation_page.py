"""An evaluation as a page: what is promised, which years were lost, and the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.reports.chart import chart_of
from cli.reports.forecast_pictures import odds_picture, range_picture
from cli.reports.page import Picture, heading, notes, page, picture, table
from cli.reports.position_pictures import price_picture, ways_lost, wealth_picture
from cli.reports.reliability_picture import reliability_picture
from cli.reports.sheet import MARGIN, SMALL, Place, new_sheet
from cli.reports.style import as_png
from when_to_invest.evaluation.targets import FIGURES, Target, promised

if TYPE_CHECKING:
    from when_to_invest.evaluation.evaluate import Judged
    from when_to_invest.evaluation.report import Evaluation
    from when_to_invest.market import Snapshot


def evaluation_pictures(found: Judged, snapshot: Snapshot) -> list[Picture]:
    """Return every picture that there is something to draw for; to be used inside `drawing`."""
    name, made, courses = found.evaluation.instrument, found.forecasts, found.courses
    pictures = []
    if courses is not None and found.evaluation.overlay.sharpe is not None:
        price = price_picture(name, chart_of(snapshot), courses)
        wealth = wealth_picture(name, courses, found.evaluation.overlay)
        pictures.append(Picture(as_png(price), f"{name}: price, trend band and invested share over time"))
        pictures.append(Picture(as_png(wealth), f"{name}: wealth and falls of the sizing against holding"))
    if made is not None and any(each.brier_skill is not None for each in found.evaluation.p_drop):
        pictures.append(Picture(as_png(odds_picture(made)), f"{name}: odds of a fall over time"))
        pictures.append(
            Picture(as_png(reliability_picture(made)), f"{name}: odds given against how often it came")
        )
        pictures.append(Picture(as_png(range_picture(made)), f"{name}: range of the 21-day return over time"))
    return pictures


def words_picture(found: Evaluation) -> Picture:
    """Return a picture that says why nothing could be drawn; to be used inside `drawing`."""
    sheet = new_sheet(11.0, 3.0 + 0.45 * len(found.notes))
    top = sheet.head(f"{found.instrument}: nothing could be judged", f"From {found.start} to {found.end}.")
    for note in found.notes:
        top = sheet.write(note, Place(MARGIN, top + 0.12, sheet.width - 2.0 * MARGIN), SMALL)
    return Picture(as_png(sheet.figure), f"{found.instrument}: nothing could be judged")


def evaluation_html(found: Evaluation, pictures: list[Picture]) -> str:
    """Return the page."""
    shown = [picture(each) for each in pictures]
    periods = [heading("The sizing as a position, period by period"), _periods(found)]
    parts = [_figures(found), *shown, *(periods if found.overlay.periods else ()), notes(found.notes)]
    return page(
        f"{found.instrument}: how good were the answers?",
        lead=f"Judged from {found.start} to {found.end}, n = {found.n}; every forecast made as on its day.",
        parts=parts,
        foot=f"{found.overlay.trials} sizings were tried before this one. Past figures promise nothing.",
    )


def _figures(found: Evaluation) -> str:
    rows = {target.name for target in promised(found.instrument)}
    lines = [_line(target, target.read(found), is_promised=target.name in rows) for target in FIGURES]
    return table(("what", "measured", "promised", ""), [line for line in lines if line[1] or line[2]])


def _line(target: Target, value: float | None, *, is_promised: bool) -> tuple[str, str, str, str]:
    shown = "" if value is None else f"{value:.3f}"
    if not is_promised:
        return target.words, shown, "", ""
    verdict = "unknown" if value is None else "met" if target.is_met(value) else "missed"
    return target.words, shown, target.bound(), verdict


def _periods(found: Evaluation) -> str:
    head = ("years", "return", "holding", "Sharpe", "holding", "deepest fall", "holding", "with the sizing")
    rows = []
    for each in found.overlay.periods:
        figures = (
            each.return_ratio,
            each.return_buy_hold_ratio,
            each.sharpe,
            each.sharpe_buy_hold,
            each.max_drawdown_ratio,
            each.max_drawdown_buy_hold_ratio,
        )
        cells = ["unknown" if value is None else f"{value:.2f}" for value in figures]
        rows.append((f"from {each.start[:4]} to {each.end[:4]}", *cells, ", ".join(ways_lost(each))))
    return table(head, rows)
