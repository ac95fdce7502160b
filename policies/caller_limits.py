"""Limits of single callers: everybody's, tightened further. Pure.

Stage: gate, when a proposing server starts. A caller's limits never loosen; the envelope is
sealed under everybody's, which the executor judges by again.
"""

from __future__ import annotations

from collections.abc import Mapping

from policies.limits import Limits, tighten
from when_to_invest.errors import Fault

Setting = str | int | bool | list[str]


def limits_of_callers(everybody: Limits, settings: Mapping[str, Mapping[str, Setting]]) -> dict[str, Limits]:
    """Return the limits of each caller that has some of its own (caller to limit to value).

    Raises:
        Fault: as `policies.limits.tighten`, naming the caller.
    """
    found: dict[str, Limits] = {}
    for name, wanted in settings.items():
        if not wanted:
            continue
        try:
            found[name] = tighten(everybody, wanted)
        except Fault as fault:
            message, fix = (
                text.replace("limits.", f"callers.{name}.limits.") for text in (fault.message, fault.fix)
            )
            raise Fault(fault.code, message, fix=fix) from fault
    return found
