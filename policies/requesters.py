"""Who may ask for what a quorum decides: somebody this home knows, known by something said.

Stage: before a change, a resumption or a settlement is journalled. Whoever folds one looks only
at its signers: a name that nobody knows gives no power, and cannot take any.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.motions import Motion

OPERATOR: Final = "operator"
"""Whoever may open the home on its own machine."""


def demand_known(motion: Motion, known: Collection[str]) -> None:
    """Return when a motion is asked for by one of `known` or the operator, and says how that was known.

    Raises:
        Fault: `bad_approval`.
    """
    if motion.requester != OPERATOR and motion.requester not in known:
        raise Fault(
            ErrorCode.BAD_APPROVAL,
            f"{motion.requester!r}, who asks, is neither an approver nor a caller of this home",
            fix=f"ask again with `--as` or `--by` {OPERATOR}, an approver or a caller of config.toml",
        )
    if motion.known_by is None:
        raise Fault(
            ErrorCode.BAD_APPROVAL,
            "it does not say how its requester was known",
            fix="ask again with this release and have it signed again",
        )
