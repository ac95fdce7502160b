"""Whose signatures count beside a proposer's. Stage: gate, executor, and the rules that hold. Pure.

Whoever proposes never approves, under no spelling of their name: case, hyphens and underscores
tell nobody apart, exactly as where people sign motions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from when_to_invest.motions import is_same_name


def is_one_of(name: str, proposers: Iterable[str]) -> bool:
    """Return whether `name` is a proposer's, or spelled like one."""
    return any(is_same_name(name, proposer) for proposer in proposers)


def signers_besides(approvers: Iterable[str], proposers: Collection[str]) -> tuple[str, ...]:
    """Return the distinct approvers, in order, that are no proposer and not spelled like one."""
    return tuple(sorted(name for name in set(approvers) if not is_one_of(name, proposers)))
