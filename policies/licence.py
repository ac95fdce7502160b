"""Whether people allowed live trading: at one venue, for one account, under one set of limits, until an end.

Stage: executor, at start and before every live order. A licence is a motion that a quorum
signed. It opens nothing by itself: limits, gate and mode must allow what it names as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from policies.quorum import Assembly, check_domain, endorsers
from when_to_invest.canonical import utc_text
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.motions import Endorsement, Motion
from when_to_invest.values import Instant, Mode, Value

LIVE_TRADING: Final = "LiveTrading"
LONGEST_LICENCE: Final = timedelta(days=31)
"""How far ahead of its use live trading may have been allowed."""


class Licence(Value):
    """The signed limits file: what was signed, until when it counts, and by whom."""

    motion: Motion
    until: Instant
    endorsements: tuple[Endorsement, ...] = ()


@dataclass(frozen=True, slots=True)
class Grounds:
    """What live trading is allowed on, as the verifier itself knows it."""

    venue: str
    exchange: str
    account: str
    limits_hash: str


def licence_details(grounds: Grounds, *, until: datetime) -> tuple[tuple[str, str], ...]:
    """Return what people see and sign, in the order shown."""
    return (
        ("venue", grounds.venue),
        ("exchange", grounds.exchange),
        ("account", grounds.account),
        ("limitsHash", grounds.limits_hash),
        ("until", utc_text(until)),
    )


def demand_licence(
    licence: Licence, grounds: Grounds, *, needed: int, serial: int, assembly: Assembly
) -> tuple[str, ...]:
    """Return who allowed live trading on exactly these grounds, when at least `needed` people did.

    `serial`: how many changes the roll has seen; a licence from before one of them is void.

    Raises:
        Fault: `bad_approval` or `bad_signature` for the first thing that does not hold.
    """
    motion, until = licence.motion, licence.until
    check_domain(motion.domain, assembly.domain)
    if motion.purpose != LIVE_TRADING or motion.mode is not Mode.LIVE:
        raise _refused("it is no licence to trade live")
    if motion.details != licence_details(grounds, until=until):
        raise _refused("it was signed for another venue, account, end or set of limits")
    if motion.serial != serial:
        raise _refused("the roll of approvers has changed since it was signed")
    if assembly.now >= until:
        raise _refused(f"it ended at {utc_text(until)}")
    if until - assembly.now > LONGEST_LICENCE:
        raise _refused(f"it lasts longer than {LONGEST_LICENCE.days} days")
    names = endorsers(motion, licence.endorsements, assembly=assembly)
    if len(names) < max(needed, 1):
        raise _refused(f"{len(names)} of the {max(needed, 1)} signatures it needs are there")
    return names


def _refused(why: str) -> Fault:
    return Fault(
        ErrorCode.BAD_APPROVAL,
        f"live trading is not allowed: {why}",
        fix="have the limits signed again with `when-to-invest limits sign`",
    )
