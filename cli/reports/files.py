"""Writes a report where the user asked: `FILE.html` is one page, `FILE.png` one picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.reports.backtest_picture import backtest_picture
from cli.reports.evaluation_page import evaluation_html, evaluation_pictures, words_picture
from cli.reports.execution_page import execution_html, execution_pictures, nothing_picture
from cli.reports.page import Picture, notes, page, picture
from cli.reports.recommendation_page import recommendation_html
from cli.reports.recommendation_picture import recommendation_picture
from cli.reports.style import as_png, drawing
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from executor.quality.analysis import Analysis
    from home.paths import Home
    from when_to_invest.backtest.report import Backtest
    from when_to_invest.backtest.trial import Trial
    from when_to_invest.decision.recommendation import Recommendation
    from when_to_invest.evaluation.evaluate import Judged
    from when_to_invest.market import Snapshot

SUFFIXES: Final = (".html", ".png")


def check_target(path: Path, *, option: str) -> Path:
    """Return `path` when a report can be written there; asked before any long work begins.

    Raises:
        Fault: `bad_argument` for another kind of file or a folder that does not exist.
    """
    if path.suffix.lower() not in SUFFIXES or not path.absolute().parent.is_dir():
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"{option} {path} cannot be written",
            fix=f"name a file that ends in {' or '.join(SUFFIXES)}, in a folder that exists",
        )
    return path


def write_recommendation(path: Path, answer: Recommendation, snapshot: Snapshot, *, home: Home) -> None:
    """Draw a recommendation into `path`.

    Raises:
        Fault: `bad_argument` without matplotlib, `storage_failed` when the disk refuses.
    """
    with drawing(home.run / "drawing"):
        png = as_png(recommendation_picture(answer, snapshot))
    if path.suffix.lower() == ".png":
        _write(path, png)
        return
    _write(path, recommendation_html(answer, png).encode())


def write_backtest(path: Path, result: Backtest, trial: Trial, *, home: Home) -> None:
    """Draw a backtest into `path`.

    Raises:
        Fault: as `write_recommendation`.
    """
    with drawing(home.run / "drawing"):
        png = as_png(backtest_picture(result, trial))
    if path.suffix.lower() == ".png":
        _write(path, png)
        return
    words = f"{result.instrument}: wealth and falls of {result.strategy} beside holding throughout"
    html = page(
        f"{result.strategy} on {result.instrument}",
        lead=f"From {result.course.opened_at(0):%Y-%m-%d} to {result.course.opened_at(-1):%Y-%m-%d}.",
        parts=[picture(Picture(png, words)), notes(result.notes)],
        foot="Past figures promise nothing.",
    )
    _write(path, html.encode())


def write_evaluation(path: Path, found: Judged, snapshot: Snapshot, *, home: Home) -> None:
    """Draw an evaluation into `path`; a PNG holds all pictures below one another.

    Raises:
        Fault: as `write_recommendation`.
    """
    with drawing(home.run / "drawing"):
        pictures = evaluation_pictures(found, snapshot)
        if path.suffix.lower() == ".png" and not pictures:
            pictures = [words_picture(found.evaluation)]
    if path.suffix.lower() == ".png":
        _write(path, _stacked([each.png for each in pictures]))
    else:
        _write(path, evaluation_html(found.evaluation, pictures).encode())


def write_execution(path: Path, found: Analysis, *, home: Home) -> None:
    """Draw an account of execution into `path`; a PNG holds all pictures below one another.

    Raises:
        Fault: as `write_recommendation`.
    """
    with drawing(home.run / "drawing"):
        pictures = execution_pictures(found)
        if path.suffix.lower() == ".png" and not pictures:
            pictures = [nothing_picture(found)]
    if path.suffix.lower() == ".png":
        _write(path, _stacked([each.png for each in pictures]))
    else:
        _write(path, execution_html(found, pictures).encode())


def _stacked(pictures: list[bytes]) -> bytes:
    """Return PNGs below one another on white."""
    import io

    from PIL import Image

    images = [Image.open(io.BytesIO(png)).convert("RGB") for png in pictures]
    size = (max(image.width for image in images), sum(image.height for image in images))
    sheet = Image.new("RGB", size, "white")
    top = 0
    for image in images:
        sheet.paste(image, (0, top))
        top += image.height
    out = io.BytesIO()
    sheet.save(out, format="PNG", optimize=True)
    return out.getvalue()


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Fault(
            ErrorCode.STORAGE_FAILED, f"{path} cannot be written", fix="check the folder and the space left"
        ) from error
