"""Does an answer say what the analysis said? Action, size, promises, required caveats.

Stage: report (LLM shell, pure). The analysis decides; prose may explain it, never change
it, never promise a return, and never hide that the direction is not forecastable.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from agents.dates import date_mentions
from agents.evidence import Fact, Kind
from agents.grounding import Finding, Flaw, supports
from agents.number_words import figures
from agents.numerals import Unit
from agents.prose import normalised
from when_to_invest.decision.recommendation import Action, Recommendation

LABELS: Final = {
    Action.INVEST_NOW: "invest now",
    Action.STAGE: "stage",
    Action.WAIT: "wait",
    Action.HOLD: "hold",
    Action.REDUCE: "reduce",
}
NO_SKILL: Final = "no proven skill"
_VERDICT: Final = re.compile(
    r"^\W*verdict\s*[:-]\s*(?P<action>invest[ _]now|stage|wait|hold|reduce)\b(?P<rest>[^\n]*)", re.IGNORECASE
)
_NEGATED: Final = re.compile(
    r"\b(?:no|not|never|nothing|none|cannot|can't|don't|doesn't|isn't|won't|without|neither|nor|rather than|"
    r"instead of|n't)\b[^.;!?\n]{0,40}$",
    re.IGNORECASE,
)
_CONTRARY: Final[dict[Action, re.Pattern[str]]] = {
    Action.INVEST_NOW: re.compile(
        r"\binvest[ _]now\b|\ball[- ]in\b|\b(?:invest|buy|put)\b[^.;\n]{0,40}\b(?:at once|immediately|"
        r"right now|right away|today|everything|the (?:whole|full|entire) (?:budget|amount|sum))\b",
        re.IGNORECASE,
    ),
    Action.STAGE: re.compile(r"\b(?:stage (?:it|your|the)|in (?:tranches|stages))\b", re.IGNORECASE),
    Action.HOLD: re.compile(
        r"\b(?:you should|I recommend|I advise|better to|best to|please)\s+hold\b(?! off)", re.IGNORECASE
    ),
    Action.WAIT: re.compile(
        r"\b(?:you should|I recommend|I advise|better to|best to|please)\s+(?:wait\w*|hold\w* off)\b|"
        r"\bdo not (?:invest|buy)\b(?! more)",
        re.IGNORECASE,
    ),
    Action.REDUCE: re.compile(
        r"\b(?:you should|I recommend|I advise|better to|best to|please)\s+(?:reduc\w*|sell\w*)\b|"
        r"\bsell (?:everything|all|now|your)\b",
        re.IGNORECASE,
    ),
}
_PROMISE: Final = re.compile(
    r"\bguarant\w*|\brisk[- ]?free\b|\b(?:no|zero|without(?: any)?) risk\b|"
    r"\b(?:cannot|can't|can not|never|won't) (?:lose|fail|fall|drop)\b|\bsure (?:thing|bet)\b|"
    r"\bcertain(?:ly|ty)? (?:to|of a) (?:rise|gain|profit|win|go up)\w*|"
    r"\bwill (?:certainly|definitely|surely)\b|"
    r"\bpromis\w*|\bsafe bet\b|\beasy money\b|\bfoolproof\b|"
    r"\b(?:will|is going to|are going to) (?:rise|rally|go up|gain|climb|soar|increase|return|double|triple|"
    r"recover|profit|outperform|make (?:you|money))\b|"
    r"\b(?:double|triple|quadruple) your\b",
    re.IGNORECASE,
)
_SKILL: Final = re.compile(
    r"\bno (?:proven |demonstrated |measurable |forecasting )?skill\b|\bnot forecastable\b|"
    r"\bno better than (?:the |its )?(?:base|usual|average|long-run)",
    re.IGNORECASE,
)
_BUDGET: Final = re.compile(r"\s?of (?:the|your|my|its) (?:total |whole )?budget", re.IGNORECASE)


def check_conduct(text: str, recommendation: Recommendation) -> tuple[Finding, ...]:
    """Return what in `text` departs from the recommendation."""
    shown = normalised(text)
    return (
        *_verdict(shown, recommendation),
        *_contrary(shown, recommendation.action),
        *_sizes(shown, recommendation),
        *_caveats(shown, recommendation),
    )


def promises(text: str) -> tuple[Finding, ...]:
    """Return every promise of a return in `text`; denials of one are welcome."""
    shown = normalised(text)
    return tuple(
        Finding(Flaw.PROMISE, f"{found.group()!r} promises a return; nothing here is certain")
        for found in _PROMISE.finditer(shown)
        if not _is_negated(shown, found)
    )


def _is_negated(text: str, found: re.Match[str]) -> bool:
    return _NEGATED.search(text[max(0, found.start() - 60) : found.start()]) is not None


def _hundredths_of(text: str) -> Decimal | None:
    shown = [item.value for item in figures(text) if item.unit is Unit.HUNDREDTHS]
    return shown[0] if shown else None


def verdict_line(recommendation: Recommendation) -> str:
    """Return the line that every answer with a recommendation begins with."""
    size = f"{100 * Decimal(str(_verdict_size(recommendation))):.1f}"
    if recommendation.action is Action.REDUCE:
        return f"Verdict: {LABELS[recommendation.action]}, to {size} % of the budget"
    return f"Verdict: {LABELS[recommendation.action]}, {size} % of the budget"


def _verdict_size(recommendation: Recommendation) -> float:
    """Return the size that the verdict names: what is held for a holder, else `size_fraction`."""
    is_holding = recommendation.action is Action.HOLD
    return recommendation.held_fraction if is_holding else recommendation.size_fraction


def _verdict(text: str, recommendation: Recommendation) -> list[Finding]:
    expected = verdict_line(recommendation)
    found = _VERDICT.search(text.lstrip())
    if found is None:
        return [Finding(Flaw.MISSING_VERDICT, f"begin with the line {expected!r}")]
    if found["action"].lower().replace("_", " ") != LABELS[recommendation.action]:
        return [Finding(Flaw.WRONG_ACTION, f"the analysis says {expected!r}")]
    size = _hundredths_of(found["rest"])
    true = 100 * Decimal(str(_verdict_size(recommendation)))
    if size is None or abs(size - true) > Decimal("0.5"):
        return [Finding(Flaw.WRONG_SIZE, f"the first line must be {expected!r}")]
    return []


def _contrary(text: str, action: Action) -> list[Finding]:
    """Find advice of another action outside the verdict line, unless it is denied."""
    return [
        Finding(Flaw.WRONG_ACTION, f"{found.group()!r} contradicts the action {LABELS[action]!r}")
        for other, pattern in _CONTRARY.items()
        if other is not action
        for found in pattern.finditer(text)
        if not _is_negated(text, found)
    ]


def _sizes(text: str, recommendation: Recommendation) -> list[Finding]:
    allowed = [recommendation.size_fraction, recommendation.held_fraction]
    allowed += [] if recommendation.target_fraction is None else [recommendation.target_fraction]
    allowed += [*(step.fraction for step in recommendation.schedule)]
    allowed += [breaker.cap for breaker in recommendation.breakers]
    facts = [Fact("size", Decimal(str(size)), Kind.RATIO) for size in allowed]
    return [
        Finding(Flaw.WRONG_SIZE, f"{item.text!r} of the budget is not what the analysis says")
        for item in figures(text)
        if item.unit is Unit.HUNDREDTHS
        and (_BUDGET.match(text, item.end) or item.text.lower().endswith(("of the", "of your")))
        and not any(supports(item, fact) for fact in facts)
    ]


def _caveats(text: str, recommendation: Recommendation) -> list[Finding]:
    missing = []
    if not recommendation.p_up.has_skill and not _SKILL.search(text):
        missing.append(Finding(Flaw.MISSING_CAVEAT, f"say that the direction has {NO_SKILL}"))
    expires = recommendation.expires_at.date()
    if not any(item.day and item.fits(expires) for item in date_mentions(text)):
        missing.append(Finding(Flaw.MISSING_CAVEAT, f"say that the answer expires on {expires}"))
    return missing
