"""The key of one account at one venue. Stage: executor, at start.

It comes from this process's environment or from a file that a passphrase opens, and goes to
the client alone: never to arguments, logs, the journal or an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

from when_to_invest.errors import ErrorCode, Fault

PREFIX: Final = "WHEN_TO_INVEST_VENUE"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs requests; shown nowhere."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    password: str = field(default="", repr=False)

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are never copied or pickled")


def credentials_of(venue: str, environment: Mapping[str, str]) -> Credentials:
    """Return the credentials of a venue from `WHEN_TO_INVEST_VENUE_<NAME>_KEY`, `_SECRET` and `_PASSWORD`.

    Raises:
        Fault: `key_missing` naming the variable that is not set.
    """
    stem = f"{PREFIX}_{venue.upper().replace('-', '_')}"
    missing = next(
        (f"{stem}_{part}" for part in ("KEY", "SECRET") if not environment.get(f"{stem}_{part}")), ""
    )
    if missing:
        raise Fault(
            ErrorCode.KEY_MISSING,
            f"the key of venue {venue} is missing: {missing} is not set",
            fix=f"set {stem}_KEY and {stem}_SECRET in the executor's own environment",
        )
    return Credentials(
        environment[f"{stem}_KEY"],
        # An environment cannot hold line breaks well; keys in PEM come with them written out.
        environment[f"{stem}_SECRET"].replace("\\n", "\n"),
        environment.get(f"{stem}_PASSWORD", ""),
    )
