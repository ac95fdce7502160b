"""The guard between a model's prose and a person: guardrails-ai around our own checks.

Stage: report (LLM shell). The library's telemetry, remote inference and tracing are off
before its first use, so that nothing of an answer leaves this machine; a failing answer is
a value with its findings, never an exception.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from agents.conduct import check_conduct, promises
from agents.evidence import Evidence
from agents.grounding import Finding, Flaw, ground
from when_to_invest.decision.recommendation import Recommendation

if TYPE_CHECKING:
    from guardrails import Guard

LONGEST_ANSWER: Final = 12_000
_MAKING: Final = threading.Lock()
_VALIDATOR: Final = "when-to-invest/grounded-answer"
_QUIET: Final = {
    # Without it a guard swaps the event loop's policy and runs a loop of its own.
    "GUARDRAILS_RUN_SYNC": "true",
    # Without it the library's model catalogue is fetched from the network.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the guard says of one answer; without findings it may be shown."""

    findings: tuple[Finding, ...]
    cited: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the answer may be shown as it is."""
        return not self.findings


def examine(text: str, *, evidence: Evidence, recommendation: Recommendation | None) -> Standing:
    """Run every check on `text`, without the library around them."""
    if not text.strip():
        return Standing((Finding(Flaw.MISSING_VERDICT, "the answer is empty"),))
    if len(text) > LONGEST_ANSWER:
        return Standing((Finding(Flaw.UNREADABLE_NUMBER, "the answer is too long to be checked"),))
    grounded = ground(text, evidence)
    conduct = () if recommendation is None else check_conduct(text, recommendation)
    return Standing((*grounded.findings, *conduct, *promises(text)), grounded.cited)


def check(text: str, *, evidence: Evidence, recommendation: Recommendation | None) -> Standing:
    """Put `text` through the guard.

    Takes milliseconds and blocks; the first call imports the library, which takes seconds.
    """
    noted: dict[str, Standing] = {}
    outcome = _the_guard().validate(
        # An empty output is no output to the library; our own check names it.
        text or " ",
        metadata={"evidence": evidence, "recommendation": recommendation, "noted": noted},
    )
    standing = noted.get("standing")
    if standing is None or bool(outcome.validation_passed) is not standing.passed:
        return Standing((Finding(Flaw.UNREADABLE_NUMBER, "the guard came to no conclusion"),))
    return standing


def warm_up() -> None:
    """Import the library and build the guard, so that the first answer does not wait for it."""
    _the_guard()


def _the_guard() -> Guard:
    # Two threads that come first at once must not both register the validator.
    with _MAKING:
        return _guard()


@cache
def _guard() -> Guard:
    """Return the one guard of this process, silent towards the network."""
    guardrails = _silenced()
    from guardrails.validator_base import FailResult, PassResult, Validator, register_validator

    @register_validator(name=_VALIDATOR, data_type="string")
    class GroundedAnswer(Validator):  # type: ignore[misc]
        """Refuses an answer that does not stand on its evidence."""

        def _validate(self, value: Any, metadata: Mapping[str, Any]) -> PassResult | FailResult:
            standing = examine(
                str(value), evidence=metadata["evidence"], recommendation=metadata["recommendation"]
            )
            metadata["noted"]["standing"] = standing
            if standing.passed:
                return PassResult()
            return FailResult(error_message="; ".join(finding.message for finding in standing.findings))

    guard = guardrails.Guard(history_max_length=1).use(GroundedAnswer(on_fail=guardrails.OnFailAction.NOOP))
    guard.configure(allow_metrics_collection=False)
    return guard


def _silenced() -> Any:
    """Import the library with everything that could reach the network turned off."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        # Its command line, which nobody runs here, warns about its own dependencies.
        warnings.simplefilter("ignore", DeprecationWarning)
        import guardrails
        import guardrails.guard
    from guardrails.classes.rc import RC
    from guardrails.settings import settings

    class SilentRC(RC):  # type: ignore[misc]
        """A configuration that ignores the one in the user's home directory."""

        @classmethod
        def load(cls, logger: Any = None) -> RC:  # noqa: ARG003 - the library's signature
            return RC(enable_metrics=False, use_remote_inferencing=False)

    # Each new guard loads the configuration again, and its default is to report.
    guardrails.guard.RC = SilentRC
    settings.rc = SilentRC.load()
    settings.disable_tracing = True
    return guardrails
