"""The rules, refusal codes and limits as Markdown, for the generated documentation.

Stage: documentation of the gate. Text out of the same data the gate judges by; it must
never describe a rule that does not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policies.gate import GATE_CODES
from policies.limit_notes import limit_notes
from policies.limits import HARD_LIMITS, Limits
from policies.rule import MISSING_FACT, MISSING_FACT_MEANING, HoldRule
from policies.rules import RULES
from policies.tightening import Tighten

_HOW = {
    Tighten.SMALLER: "a smaller value",
    Tighten.LARGER: "a larger value",
    Tighten.INTERSECTION: "fewer names",
    Tighten.UNION: "more names",
}


def limits_markdown(limits: Limits = HARD_LIMITS) -> str:
    """Return every limit with value, unit and how `[limits]` may tighten it."""
    rows = (
        (f"`{note.name}`", note.value, note.unit, _HOW[note.tighten], note.meaning)
        for note in limit_notes(limits)
    )
    return _table(("limit", "hard value", "unit", "tightened by", "meaning"), rows)


def rules_markdown() -> str:
    """Return every rule in the order of its reasons: what it guards, and its source."""
    rows = (
        (f"`{rule.id}`", "hold" if isinstance(rule, HoldRule) else "hard", rule.guards, rule.source)
        for rule in RULES
    )
    return _table(("rule", "kind", "guards against", "source"), rows)


def refusals_markdown() -> str:
    """Return every reason code that a verdict can carry, with its rule and meaning."""
    general = [(f"`{MISSING_FACT}`", "any", MISSING_FACT_MEANING)]
    general += [(f"`{code}`", "the gate itself", meaning) for code, meaning in GATE_CODES.items()]
    own = [(f"`{code}`", f"`{rule.id}`", meaning) for rule in RULES for code, meaning in rule.codes.items()]
    return _table(("code", "rule", "meaning"), [*own, *general])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
