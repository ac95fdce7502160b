"""Dates in prose, in the forms people write: 2018-12-31, 31 December 2018, December 2018.

Stage: report (LLM shell, pure). Only reads; `grounding` decides which dates may be cited.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH: Final = (
    r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_TIME: Final = r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?\s?(?:Z|UTC|[+-]\d{2}:\d{2})?"
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR: Final = r"(?P<year>(?:19|20)\d{2})"
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        rf"(?<![\d-])(?P<year>\d{{4}})-(?P<number>\d{{2}})-(?P<day>\d{{2}})(?![\d-]){_TIME}",
        rf"\b{_DAY}\s(?:of\s)?{_MONTH},?\s{_YEAR}\b",
        rf"\b{_MONTH}\s{_DAY},?\s{_YEAR}\b",
        rf"\b{_MONTH},?\s{_YEAR}\b",
        rf"\b{_DAY}\s{_MONTH}(?!\w|\s?%)",
        rf"\b{_MONTH}\s{_DAY}(?!\w|[.,]\d|\s?%)",
    )
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A date as written; parts that are not written are none."""

    text: str
    year: int | None
    month: int
    day: int | None
    start: int
    end: int

    def fits(self, known: date) -> bool:
        """Whether what is written describes `known`."""
        return (
            self.year in {None, known.year}
            and self.month == known.month
            and (self.day is None or self.day == known.day)
        )


def _mention(found: re.Match[str]) -> Mention:
    groups = found.groupdict()
    month = groups.get("month")
    year, day = groups.get("year"), groups.get("day")
    return Mention(
        text=found.group().strip(),
        year=int(year) if year else None,
        month=_MONTHS.index(month[:3]) + 1 if month else int(groups["number"]),
        day=int(day) if day else None,
        start=found.start(),
        end=found.end(),
    )


def date_mentions(text: str) -> tuple[Mention, ...]:
    """Return the dates of a text in normal form; the fullest reading of each place wins."""
    found: list[Mention] = []
    for form in _FORMS:
        for match in form.finditer(text):
            item = _mention(match)
            if not any(item.start < other.end and other.start < item.end for other in found):
                found.append(item)
    return tuple(sorted(found, key=lambda item: item.start))
