"""What a control promises: one row of `when_to_invest.controls`. It must never decide anything."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that cannot be done with money here.

    `rules` are ids of the gate's rules, `limits` fields of `policies.limits.Limits`, `parts`
    dotted names of what else carries it out, `tests` files or `file::test`; each rule's own
    tests are not named. `short` says what is missing.
    """

    name: str
    promise: str
    source: str
    rules: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    short: str = ""
