"""Spelled numbers: "twenty percent", "two thirds of", "half the budget".

Stage: report (LLM shell, pure). A spelled number counts when it carries a unit or is
twenty or more; "one", "two reasons" and their like are ordinary language.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from agents.numerals import BPS_WORDS, DAY_WORDS, HUNDREDTH_WORDS, MONEY_WORDS, Numeral, Unit, numerals

_UNITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS: Final = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS_WORDS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL: Final = {word: value for value, word in enumerate((*_UNITS, *_TEENS))}
_TENS: Final = {word: 10 * value for value, word in enumerate(_TENS_WORDS, start=2)}
_ADDED: Final = {**_SMALL, **_TENS, "dozen": 12}
_SCALES: Final = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}
_PARTS: Final = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "tenth": 10}
_SMALLEST_BARE: Final = 20
_WORD: Final = "|".join(sorted({*_ADDED, *_SCALES}, key=len, reverse=True))
_UNIT: Final = (
    rf"(?P<hundredths>{HUNDREDTH_WORDS})|(?P<bps>{BPS_WORDS})|(?P<money>{MONEY_WORDS})|"
    rf"(?P<days>{DAY_WORDS})|(?P<times>times\b|fold\b|[- ]?x\b)"
)
_SPELLED: Final = re.compile(
    rf"\b(?P<words>(?:{_WORD})(?:(?:\s+and\s+|[\s-]+)(?:{_WORD}))*)\b(?:[\s-]{{0,2}}(?:{_UNIT}))?",
    re.IGNORECASE,
)
_FRACTION: Final = re.compile(
    r"\b(?:(?P<count>a|one|two|three|four|five|six|seven|eight|nine)[\s-]+)?"
    r"(?P<part>half|halves|thirds?|quarters?|fourths?|fifths?|tenths?)\s+(?:of|the|your|my|its)\b",
    re.IGNORECASE,
)
_SHARE: Final = re.compile(
    rf"\b(?P<part>{_WORD})\s+(?:in|out of)\s+(?P<whole>{_WORD})\b(?!\s*(?:{HUNDREDTH_WORDS}))", re.IGNORECASE
)
_HALF: Final = Decimal("0.5")


def figures(text: str) -> tuple[Numeral, ...]:
    """Return every number of a text in normal form, in digits or spelled, in order."""
    digits = numerals(text)
    spelled = [
        item
        for item in spelled_numerals(text)
        # "million" in "1.2 million" belongs to the digits.
        if not any(item.start < other.end and other.start < item.end for other in digits)
    ]
    return tuple(sorted([*digits, *spelled], key=lambda item: item.start))


def spelled_numerals(text: str) -> tuple[Numeral, ...]:
    """Return the spelled numbers that count as figures, in order."""
    shares = [_share(found) for found in _SHARE.finditer(text)]
    fractions = [_fraction(found) for found in _FRACTION.finditer(text)]
    taken = [*(item for item in shares if item), *fractions]
    plain = [
        item
        for found in _SPELLED.finditer(text)
        if (item := _spelled(found)) is not None
        and not any(item.start < other.end and other.start < item.end for other in taken)
    ]
    return tuple(sorted([*taken, *plain], key=lambda item: item.start))


def _value_of(words: str) -> Decimal:
    total, current = 0, 0
    for word in re.split(r"[\s-]+", words.lower()):
        if word in _ADDED:
            current += _ADDED[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in _SCALES:
            total, current = total + max(current, 1) * _SCALES[word], 0
    return Decimal(total + current)


def _spelled(found: re.Match[str]) -> Numeral | None:
    value = _value_of(found["words"])
    unit = next(
        (
            unit
            for name, unit in (
                ("hundredths", Unit.HUNDREDTHS),
                ("bps", Unit.BPS),
                ("money", Unit.MONEY),
                ("days", Unit.DAYS),
                ("times", Unit.BARE),
            )
            if found[name]
        ),
        None,
    )
    if unit is None and value < _SMALLEST_BARE:
        return None
    return Numeral(found.group(), value, _HALF, unit or Unit.BARE, 0, found.start(), found.end())


def _fraction(found: re.Match[str]) -> Numeral:
    count = _SMALL.get((found["count"] or "one").lower(), 1)
    part = found["part"].lower()
    whole = _PARTS.get(part) or _PARTS[part.removesuffix("s")]
    value = 100 * Decimal(count) / whole
    return Numeral(found.group(), value, _HALF, Unit.HUNDREDTHS, 0, found.start(), found.end())


def _share(found: re.Match[str]) -> Numeral | None:
    whole = _value_of(found["whole"])
    if whole == 0:
        return None
    value = 100 * _value_of(found["part"]) / whole
    return Numeral(found.group(), value, _HALF, Unit.HUNDREDTHS, 0, found.start(), found.end())
