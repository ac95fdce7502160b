"""A recommendation as a page: the answer in words, its picture, its steps and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.reports.page import Picture, heading, page, picture, table
from cli.reports.recommendation_picture import headline
from cli.reports.style import share

if TYPE_CHECKING:
    from when_to_invest.decision.recommendation import Predicate, Recommendation


def recommendation_html(answer: Recommendation, png: bytes) -> str:
    """Return the page."""
    words = f"{answer.instrument}: price with trend band, what lies ahead, odds of a fall and risk"
    parts = [picture(Picture(png, words))]
    if answer.schedule:
        parts += [heading("Steps"), _steps(answer)]
    if answer.invalidation:
        parts += [heading("What would change this"), _changes(answer)]
    lead = " ".join(step.text for step in answer.explanation)
    return page(headline(answer), lead=lead, parts=parts, foot=f"{answer.id}. {answer.limits}")


def _steps(answer: Recommendation) -> str:
    rows = [
        (str(number), share(step.fraction), f"{step.due_at:%Y-%m-%d}" if step.due_at else "", step.text)
        for number, step in enumerate(answer.schedule, start=1)
    ]
    return table(("step", "of the budget", "from", "when"), rows)


def _changes(answer: Recommendation) -> str:
    known = {item.id: item.value for item in answer.evidence}
    rows = [(each.text, _condition(each), f"{known[each.metric]:,.6g}") for each in answer.invalidation]
    return table(("if", "that is", "now"), rows)


def _condition(predicate: Predicate) -> str:
    return f"{predicate.metric} {predicate.operator} {predicate.value:,.6g} {predicate.unit}"
