"""What `doctor` looks at: each part of a home, with what is wrong and how to put it right."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from when_to_invest.errors import Fault

if TYPE_CHECKING:
    from home.paths import Home


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the home: sound, or with a fix."""

    name: str
    is_ok: bool
    found: str
    fix: str = ""


def _settings(home: Home) -> str:
    from home.settings import read_settings
    from policies.limits import HARD_LIMITS, tighten

    settings = read_settings(home)
    limits = tighten(HARD_LIMITS, settings.limits)
    return f"mode {settings.mode.value}, limits {limits.digest()[:12]}…"


def _clock(home: Home) -> str:
    from home.clock import clock_of
    from home.settings import read_settings
    from when_to_invest.canonical import utc_text
    from when_to_invest.values import Mode

    mode = read_settings(home).mode
    if mode is Mode.REPLAY and not home.clock.exists():
        return "replay clock not set yet (`up --replay-from DATE` sets it)"
    return f"{utc_text(clock_of(home, mode).now())}"


def _data(home: Home) -> str:
    from market_data.catalogue import list_instruments

    return ", ".join(item.id for item in list_instruments(home))


def _journal(home: Home) -> str:
    from home.settings import read_settings
    from ledger.checking import check_ledger
    from ledger.opening import has_ledger
    from when_to_invest.errors import ErrorCode

    settings = read_settings(home).ledger
    if not has_ledger(settings, home):
        return "none yet"
    result = check_ledger(settings, home)
    if not result.ok:
        raise Fault(
            ErrorCode.JOURNAL_CORRUPT, "its hash chain is broken", fix="see `when-to-invest journal verify`"
        )
    return f"{result.events} events, chain ok"


def _dead_letters(home: Home) -> str:
    from cli.commands.dead_letters import letters_of
    from when_to_invest.errors import ErrorCode

    waiting = letters_of(home).waiting()
    if waiting:
        raise Fault(
            ErrorCode.DEAD_LETTER,
            f"{len(waiting)} dead letters of the order queue wait for an answer; their groups are halted",
            fix="see `when-to-invest dlq list`",
        )
    return "none"


def _keys(home: Home) -> str:
    names = sorted(path.stem for path in home.keys.glob("*.json")) if home.keys.exists() else []
    return ", ".join(names) or "none yet (`up` makes the sealing key)"


def _approvers(home: Home) -> str:
    from cli.registry import open_registry
    from home.settings import read_settings
    from ledger.opening import has_ledger

    if not has_ledger(read_settings(home).ledger, home):
        return "none yet"
    with open_registry(home, is_read_only=True) as registry:
        roll = registry.roll
        voting = ", ".join(sorted(roll.at(registry.now()))) or "nobody"
        earlier = ", ".join(roll.electors.exchanged(roll.anchors.approvers))
    told = f"; config.toml has an earlier key of {earlier}, which has no vote" if earlier else ""
    return f"{voting} may sign{told}"


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _services(home: Home) -> str:
    try:
        listed = json.loads((home.run / "services.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "down"
    return ", ".join(
        f"{name} {'up' if _is_running(int(service['pid'])) else 'dead'}" for name, service in listed.items()
    )


def _trading(home: Home) -> str:
    from cli.commands.halting import halts_of
    from home.latch import Latch
    from when_to_invest.breakers import halt_line
    from when_to_invest.errors import ErrorCode

    try:
        halts = halts_of(home)
    except Fault:
        # The journal's own finding says why; what the latches say stands without it.
        halts = Latch(home.halts).read()
    if halts:
        raise Fault(
            ErrorCode.ILLEGAL_TRANSITION,
            "; ".join(map(halt_line, halts)),
            fix=f"once it is understood: `when-to-invest resume --scope {halts[0].scope}`",
        )
    return "active everywhere"


def examine(home: Home) -> tuple[Finding, ...]:
    """Look at every part of `home`; a part that faults is a finding, not an end."""
    parts: dict[str, Callable[[Home], str]] = {
        "settings": _settings,
        "clock": _clock,
        "data": _data,
        "journal": _journal,
        "letters": _dead_letters,
        "keys": _keys,
        "approvers": _approvers,
        "services": _services,
        "trading": _trading,
    }
    findings = []
    for name, look in parts.items():
        try:
            findings.append(Finding(name, is_ok=True, found=look(home)))
        except Fault as fault:
            findings.append(Finding(name, is_ok=False, found=fault.message, fix=fault.fix))
    return tuple(findings)
