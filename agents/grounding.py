"""Does an answer stand on its evidence? Numbers, dates, action, size, promises, caveats.

Stage: report (LLM shell, pure). Every number must match a fact of its kind within the
rounding shown: half a step of the last digit, and never off by more than a twentieth, so
that "1" does not stand for 0.6. A percentage needs a ratio, dollars need dollars. What
cannot be read as a number is refused, not skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

from agents.dates import Mention, date_mentions
from agents.evidence import Evidence, Fact, Kind
from agents.number_words import figures
from agents.numerals import BPS_WORDS, HUNDREDTH_WORDS, Numeral, Unit
from agents.prose import normalised, odd_numerals


@unique
class Flaw(StrEnum):
    """Why an answer may not be shown."""

    UNSUPPORTED_NUMBER = "unsupported_number"
    UNSUPPORTED_DATE = "unsupported_date"
    UNREADABLE_NUMBER = "unreadable_number"
    MISSING_VERDICT = "missing_verdict"
    WRONG_ACTION = "wrong_action"
    WRONG_SIZE = "wrong_size"
    PROMISE = "promise"
    MISSING_CAVEAT = "missing_caveat"


@dataclass(frozen=True, slots=True)
class Finding:
    """One flaw: what stands in the answer, and what would mend it."""

    flaw: Flaw
    message: str


@dataclass(frozen=True, slots=True)
class Grounded:
    """The numbers' part of a check: what is unsupported, and which facts were cited."""

    findings: tuple[Finding, ...]
    cited: tuple[str, ...]


_LARGEST_ERROR: Final = Decimal("0.05")
_ONE: Final = Decimal(1)
_SCALES: Final[dict[Unit, dict[Kind, Decimal]]] = {
    Unit.HUNDREDTHS: {Kind.RATIO: Decimal(100), Kind.BPS: Decimal("0.01")},
    Unit.BPS: {Kind.BPS: _ONE, Kind.RATIO: Decimal(10_000)},
    Unit.MONEY: {Kind.MONEY: _ONE},
    Unit.DAYS: {Kind.COUNT: _ONE},
    Unit.SCORE: {Kind.SCORE: _ONE},
    Unit.BARE: dict.fromkeys(Kind, _ONE),
}
_FALLING: Final = re.compile(
    r"\b(?:los[est]\w*|fall\w*|fell|drop\w*|declin\w*|below|under|down\w*|negative|minus|decreas\w*|"
    r"drawdown|shrink\w*|cut\w*|less|lower|worse\w*|worst|beneath|off)\b",
    re.IGNORECASE,
)
_INDICATOR: Final = re.compile(
    r"\b(?:SMA|EMA|RSI|ATR|MACD|VIX|MA|ROC|EWMA)\d{1,3}\b(?!\s?%|[.,]\d)|"
    r"\b(?:GARCH|HAR|ARMA|EGARCH)\(\d{1,2}(?:,\s?\d{1,2})*\)|"
    r"\bS&P 500\b|\bNasdaq[ -]100\b|\bRussell 2000\b|\bDow 30\b",
)
_LIST_MARK: Final = re.compile(r"^[ ]{0,6}(\d{1,2})[.)](?=\s+[A-Za-z])", re.MULTILINE)
_UNIT_SIGN: Final = re.compile(rf"{HUNDREDTH_WORDS}|{BPS_WORDS}|[$€£¥]", re.IGNORECASE)
_POWER: Final = re.compile(r"\d\s?(?:\^|[×x]\s?10\b|\*\*)")  # noqa: RUF001 - the multiplication sign is meant
_ROMAN: Final = re.compile(rf"\b[IVXLCDM]{{1,8}}\s?(?:{HUNDREDTH_WORDS})")
_ID_START: Final = re.compile(r"\b(?:(?=[0-9-]*[a-f])[rd0-9a-f][0-9a-f-]{7,}|[0-9a-f]{12,})(?![\w%]|\s?%)")
"""Eight or more characters of an id or hash with a letter, or twelve of any."""
_CLAUSE_END: Final = re.compile(r"[.;!?\n](?!\d)")


def ground(text: str, evidence: Evidence) -> Grounded:
    """Check every number and date of `text` against `evidence`."""
    odd = [
        Finding(Flaw.UNREADABLE_NUMBER, f"write the character {character!r} in plain digits")
        for character in odd_numerals(text)
    ]
    shown = _without_names(normalised(text), evidence)
    mentions = date_mentions(shown)
    wrong_dates = [item for item in mentions if not _is_known(item, evidence.dates)]
    rest = _blank(shown, [(item.start, item.end) for item in mentions])
    found = figures(rest)
    pairs = [(item, _support(item, rest, evidence)) for item in found]
    unsupported = [
        Finding(
            Flaw.UNSUPPORTED_NUMBER,
            f"{item.text!r} stands in no evidence; remove it or cite a number from a tool result",
        )
        for item, fact in pairs
        if fact is None
    ]
    dates = [
        Finding(Flaw.UNSUPPORTED_DATE, f"the date {item.text!r} stands in no evidence")
        for item in wrong_dates
    ]
    cited = dict.fromkeys(fact.id for _, fact in pairs if fact is not None)
    return Grounded((*odd, *_unreadable(rest, found), *unsupported, *dates), tuple(cited))


def supports(item: Numeral, fact: Fact) -> bool:
    """Whether `fact`, in the unit shown and at the rounding shown, is this number."""
    scale = _SCALES[item.unit].get(fact.kind)
    if scale is None:
        return False
    true = fact.value * scale
    near = abs(true) if item.sign == 0 else true
    off = abs(item.value - near)
    if off == 0:
        return True
    is_coarse = item.unit is Unit.BARE and fact.kind is Kind.RATIO and item.half_step >= Decimal("0.05")
    return not is_coarse and off <= item.half_step and off <= _LARGEST_ERROR * abs(true)


def _support(item: Numeral, text: str, evidence: Evidence) -> Fact | None:
    for fact in evidence.facts:
        if supports(item, fact) and not _hides_a_loss(item, fact, text):
            return fact
    if item.unit is Unit.BARE and _is_year(item, evidence.dates):
        return Fact(f"year.{item.value}", item.value, Kind.COUNT)
    return None


def _hides_a_loss(item: Numeral, fact: Fact, text: str) -> bool:
    """Whether a negative figure is shown without its sign and without a word for falling."""
    if fact.value >= 0 or item.sign != 0:
        return False
    starts = [found.end() for found in _CLAUSE_END.finditer(text, 0, item.start)]
    ending = _CLAUSE_END.search(text, item.end)
    clause = text[starts[-1] if starts else 0 : ending.start() if ending else len(text)]
    return _FALLING.search(clause) is None


def _is_year(item: Numeral, dates: frozenset[date]) -> bool:
    is_plain = item.sign == 0 and re.fullmatch(r"(?:19|20)\d{2}", item.text) is not None
    return is_plain and any(day.year == item.value for day in dates)


def _is_known(mention: Mention, dates: frozenset[date]) -> bool:
    return any(mention.fits(day) for day in dates)


def _blank(text: str, spans: list[tuple[int, int]]) -> str:
    """Replace spans with spaces, so that positions stay."""
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _name_spans(text: str, evidence: Evidence) -> Iterator[tuple[int, int]]:
    for found in _INDICATOR.finditer(text):
        yield found.span()
    for name in evidence.names:
        # An id may be cited by its first characters, as screens shorten it.
        for found in re.finditer(rf"(?<![\w.]){re.escape(name)}(?![\w%]|\.\d|\s?%)", text):
            yield found.span()
    for found in _ID_START.finditer(text):
        if any(name.startswith(found.group()) for name in evidence.names):
            yield found.span()


def _without_names(text: str, evidence: Evidence) -> str:
    text = _blank(text, list(_name_spans(text, evidence)))
    marks = [found.span() for n, found in enumerate(_LIST_MARK.finditer(text), start=1) if int(found[1]) == n]
    return _blank(text, marks)


def _unreadable(text: str, found: tuple[Numeral, ...]) -> list[Finding]:
    """Find unit signs without a number that was read, powers, and Roman figures."""
    spans = [(item.start, item.end) for item in found]
    alone = [
        sign.group()
        for sign in _UNIT_SIGN.finditer(text)
        if not any(start <= sign.start() < end for start, end in spans)
    ]
    powers = [power.group() for power in _POWER.finditer(text)]
    romans = [roman.group() for roman in _ROMAN.finditer(text)]
    return [
        Finding(Flaw.UNREADABLE_NUMBER, f"{part!r} belongs to no plain number; write it in digits")
        for part in dict.fromkeys((*alone, *powers, *romans))
    ]
