"""Reads each role's policy document and fills in the names of what it speaks of.

The documents are the whole of a process's rights: a role gets one, and nothing beside it. The
queue, its key and a sealing key in KMS have policies of their own, which hold whatever a role is
allowed later. A name that is not filled in is an error, never a wildcard.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from enum import StrEnum, unique
from pathlib import Path
from string import Template
from typing import Any, Final

_HERE: Final = Path(__file__).parent
_NAME: Final = re.compile(r"[A-Za-z0-9_+=,.@:/-]+")


@unique
class Role(StrEnum):
    """A process that runs under a role of its own; the value names its document."""

    AGENT = "agent"
    MARKET_SERVER = "market_server"
    PROPOSING_SERVER = "proposing_server"
    EXECUTOR = "executor"


@unique
class Guarded(StrEnum):
    """A resource that has a policy of its own, whatever roles are allowed; the value names it."""

    ORDER_QUEUE = "order_queue"
    QUEUE_KEY = "queue_key"
    SEAL_KEY = "seal_key"


@dataclass(frozen=True, slots=True)
class Principals:
    """Names (ARNs) of the roles that the resources' own policies speak of; and of what they guard."""

    proposing_role_arn: str
    executor_role_arn: str
    key_keeper_role_arn: str
    queue_arn: str
    region: str


@dataclass(frozen=True, slots=True)
class Resources:
    """Names (ARNs, and the region) of what the documents speak of."""

    queue_arn: str
    dead_letter_arn: str
    queue_key_arn: str
    ledger_user_arn: str
    region: str


def role_policy(role: Role, resources: Resources) -> dict[str, Any]:
    """Return the policy document of `role` with every name filled in.

    Raises:
        ValueError: a name is empty or holds a wildcard, which would widen the rights.
    """
    return _filled(role.value, resources)


def guard_policy(guarded: Guarded, principals: Principals) -> dict[str, Any]:
    """Return the policy that stands on a resource itself, with every name filled in.

    Raises:
        ValueError: as `role_policy` does.
    """
    return _filled(guarded.value, principals)


def _filled(document_name: str, names_of: Resources | Principals) -> dict[str, Any]:
    names = {field.name: str(getattr(names_of, field.name)) for field in fields(names_of)}
    for name, value in names.items():
        if not _NAME.fullmatch(value):
            raise ValueError(f"{name} is no name of one resource")
    text = Template((_HERE / f"{document_name}.json").read_text(encoding="utf-8")).substitute(names)
    document: dict[str, Any] = json.loads(text)
    return document
