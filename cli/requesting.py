"""Who asks for what a quorum decides: a name this home knows, and the machine's name for them.

Stage: asking. The system says who runs the command, not the environment; a name given besides
must be an approver's, a configured caller's or the operator's. Whoever asks cannot sign, under
either name.
"""

from __future__ import annotations

import os
import pwd
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from cli.registry import Registry


@dataclass(frozen=True, slots=True)
class Requester:
    """A name for the motion, and how it was known."""

    name: str
    known_by: str


def requester_of(registry: Registry, named: str = "") -> Requester:
    """Return who asks: `named`, or whoever this home knows by the machine's name for its user.

    Raises:
        Fault: `bad_argument` when `named` is nobody whom this home knows.
    """
    from policies.requesters import OPERATOR
    from when_to_invest.motions import is_same_name

    user = machine_user()
    known = {OPERATOR, *registry.roll.members, *registry.settings.callers}
    own = next((name for name in sorted(known) if is_same_name(name, user)), OPERATOR)
    if named and named not in known:
        raise Fault(
            ErrorCode.BAD_ARGUMENT,
            f"nobody called {named[:40]!r} is known to this home",
            fix=f"ask as one of: {', '.join(sorted(known))}",
        )
    return Requester(named or own, f"local {user}")


def machine_user(user_id: int | None = None) -> str:
    """Return the system's name for whoever runs this, as a motion can hold it."""
    number = os.getuid() if user_id is None else user_id
    try:
        name = pwd.getpwuid(number).pw_name.lower()
    except KeyError:
        name = ""
    return re.sub(r"[^a-z0-9_-]", "-", name).strip("-_")[:32] or f"uid-{number}"
