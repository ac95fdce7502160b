"""Every number in a text, with the unit and the precision in which it is shown.

Stage: report (LLM shell, pure). Reads digits only; `number_words` reads spelled numbers.
It errs on the side of seeing a number: what is seen must be proven, what is missed is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final


@unique
class Unit(StrEnum):
    """In what a number is shown. `SCORE` is a figure "of 100"."""

    HUNDREDTHS = "hundredths"
    BPS = "bps"
    MONEY = "money"
    DAYS = "days"
    SCORE = "score"
    BARE = "bare"


@dataclass(frozen=True, slots=True)
class Numeral:
    """One number as shown: `value` ± `half_step` in `unit`; `sign` is 0 when none is shown."""

    text: str
    value: Decimal
    half_step: Decimal
    unit: Unit
    sign: int
    start: int
    end: int


HUNDREDTH_WORDS: Final = r"%|percentage[ -]points?|percent\b|per[ -]cent\b|pp\b|p\.p\."
BPS_WORDS: Final = r"basis[ -]points?|bps?\b"
MONEY_WORDS: Final = r"USD\b|US\$|US dollars?\b|dollars?\b|EUR\b|euros?\b|GBP\b|pounds?\b|[$€£¥]"
DAY_WORDS: Final = r"(?:trading |calendar )?days?\b|sessions?\b|bars?\b"
_MULTIPLIERS: Final = {
    "k": 3,
    "thousand": 3,
    "m": 6,
    "mn": 6,
    "million": 6,
    "b": 9,
    "bn": 9,
    "billion": 9,
    "trillion": 12,
}
_NUMBER: Final = re.compile(
    rf"""
    (?P<sign>(?<![\w.,)%])[-+])?
    (?:(?P<money>(?:US\$|USD|EUR|GBP|[$€£¥])\s?)(?P<inner>[-+])?)?
    (?P<digits>\d{{1,3}}(?:[,']\d{{3}})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|(?<![\d.])\.\d+)
    (?P<exponent>[eE][-+]?\d{{1,3}}(?![\w.]))?
    (?:\s?(?P<multiplier>thousand|million|billion|trillion|bn|mn|[kKmMbB])(?![A-Za-z]))?
    (?:st|nd|rd|th)?
    (?:[\s-]{{0,2}}(?P<unit>
        (?P<hundredths>{HUNDREDTH_WORDS})|(?P<bps>{BPS_WORDS})|(?P<currency>{MONEY_WORDS})|(?P<days>{DAY_WORDS})
    ))?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_RANGE: Final = re.compile(r"\s?(?:-|…|\.\.\.?|to|and|or|through)\s?[-+]?\s?[$€£]?", re.IGNORECASE)
_OF_HUNDRED: Final = re.compile(r"(?P<score>\d{1,3}(?:\.\d+)?)\s?(?:of|out of|/)\s?100(?![\d.,]\d|\d|\s?%)")
_SHARE: Final = re.compile(
    r"(?<![\d./])(?P<part>\d{1,3})\s?(?:/|\bin\b|\bout of\b)\s?(?P<whole>\d{1,3})(?![\d/]|\.\d|\s?%)"
)
_HALF: Final = Decimal("0.5")


def numerals(text: str) -> tuple[Numeral, ...]:
    """Return the numbers of a text in normal form, in order; units reach back over ranges."""
    composed = [*_matches_of(_OF_HUNDRED, text), *_matches_of(_SHARE, text)]
    composed = [item for n, item in enumerate(composed) if not any(_overlap(item, o) for o in composed[:n])]
    plain = _with_range_units(text, [_numeral(found) for found in _NUMBER.finditer(text)])
    single = [item for item in plain if not any(_overlap(item, other) for other in composed)]
    return tuple(sorted([*composed, *single], key=lambda item: item.start))


def _overlap(first: Numeral, second: Numeral) -> bool:
    return first.start < second.end and second.start < first.end


def _matches_of(pattern: re.Pattern[str], text: str) -> list[Numeral]:
    return [item for found in pattern.finditer(text) if (item := _composed(found)) is not None]


def _composed(found: re.Match[str]) -> Numeral | None:
    """Read "62 of 100" as a score, "1 in 5" and "1/3" as a share."""
    groups = found.groupdict()
    if score := groups.get("score"):
        value, half_step, unit = Decimal(score), _half_step(score), Unit.SCORE
    else:
        whole = Decimal(groups["whole"])
        if whole == 0:
            return None
        value, half_step, unit = 100 * Decimal(groups["part"]) / whole, _HALF, Unit.HUNDREDTHS
    return Numeral(found.group().strip(), value, half_step, unit, 0, found.start(), found.end())


def _half_step(digits: str) -> Decimal:
    decimals = len(digits.partition(".")[2])
    return _HALF.scaleb(-decimals)


def _unit_of(found: re.Match[str]) -> Unit:
    if found["hundredths"]:
        return Unit.HUNDREDTHS
    if found["bps"]:
        return Unit.BPS
    if found["currency"] or found["money"]:
        return Unit.MONEY
    return Unit.DAYS if found["days"] else Unit.BARE


def _numeral(found: re.Match[str]) -> Numeral:
    digits = found["digits"].replace(",", "").replace("'", "")
    power = int(found["exponent"][1:]) if found["exponent"] else 0
    power += _MULTIPLIERS.get((found["multiplier"] or "").lower(), 0)
    shown = (found["sign"] or found["inner"] or "").strip()
    sign = {"-": -1, "+": 1}.get(shown, 0)
    return Numeral(
        text=found.group().strip(),
        value=Decimal(digits).scaleb(power) * (sign or 1),
        half_step=_half_step(digits).scaleb(power),
        unit=_unit_of(found),
        sign=sign,
        start=found.start(),
        end=found.end(),
    )


def _with_range_units(text: str, found: list[Numeral]) -> list[Numeral]:
    """Give "5" in "5 to 10 %" the unit of "10 %"."""
    reached: list[Numeral] = []
    following: Numeral | None = None
    for item in reversed(found):
        joined = following is not None and _RANGE.fullmatch(text[item.end : following.start] or "")
        if item.unit is Unit.BARE and following is not None and joined:
            item = Numeral(  # noqa: PLW2901 - the same number with its unit
                item.text, item.value, item.half_step, following.unit, item.sign, item.start, item.end
            )
        reached.append(item)
        following = item
    return reached[::-1]
