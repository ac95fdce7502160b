"""Bar lengths and sessions as plain enumerations, so that the command line starts without more."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Session(StrEnum):
    """When a bar of this instrument is finished.

    `EXCHANGE`: a daily bar of session date D closes at D 21:00 UTC (16:00 in New York in
    winter, an hour after the close in summer: never early). `CONTINUOUS`: a bar closes
    one interval after it opened.
    """

    EXCHANGE = "exchange"
    CONTINUOUS = "continuous"


@unique
class Interval(StrEnum):
    """Length of a bar."""

    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    QUARTER_HOUR = "15m"
    HOUR = "1h"
    DAY = "1d"
    MONTH = "1mo"
