"""Limits of single callers: everybody's, tightened further. Pure.

Stage: gate and executor, each from its own configuration. A caller's limits never loosen;
the envelope is sealed under everybody's, and both judge by both.
"""

from __future__ import annotations

from collections.abc import Mapping

from policies.facts import Facts
from policies.gate import judge
from policies.limits import Limits, tighten
from when_to_invest.errors import Fault
from when_to_invest.intents import ChainIntent, OrderIntent
from when_to_invest.verdicts import Approved, Verdict

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


def judge_by_both(
    intent: OrderIntent | ChainIntent, facts: Facts, *, own: Limits, everybody: Limits
) -> Verdict:
    """Judge by the proposer's limits; what passes them is approved by everybody's, or not at all.

    An approval so carries the hash of the latter, which is what is sealed.
    """
    verdict = judge(intent, facts, own)
    if isinstance(verdict, Approved) and own is not everybody:
        return judge(intent, facts, everybody)
    return verdict
