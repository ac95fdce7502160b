"""The kinds of number that a recommendation is made of, each rounded the same way everywhere.

Stage: decision (pure). Rounding makes the last bits of a matrix product invisible; it is done
once, when a value is made, and never again.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

RATIO_DECIMALS: Final = 6
FIGURE_DIGITS: Final = 9


def stable_ratio(value: float) -> float:
    """Round a ratio or probability to 6 decimals; minus zero becomes zero."""
    return round(float(value), RATIO_DECIMALS) + 0.0


def stable_figure(value: float) -> float:
    """Round a figure of any size (a price, a count) to 9 significant digits."""
    return float(f"{float(value):.{FIGURE_DIGITS}g}") + 0.0


Ratio = Annotated[float, AfterValidator(stable_ratio)]
"""A ratio (0.05 is five hundredths), 6 decimals."""
Probability = Annotated[float, Field(ge=0.0, le=1.0), AfterValidator(stable_ratio)]
Figure = Annotated[float, AfterValidator(stable_figure)]
"""A number of any size in the unit that stands beside it, 9 significant digits."""
Score = Annotated[float, Field(ge=0.0, le=100.0), AfterValidator(stable_ratio)]
"""0 (calm) to 100 (severe)."""
EvidenceId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")]
"""Dotted name of a fact, such as `trend.sma200_distance`."""
RecommendationId = Annotated[str, StringConstraints(pattern=r"^r-[0-9a-f]{24}$")]
