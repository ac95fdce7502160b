"""`[oauth]` and `[callers.NAME]`: whose tokens are believed, and what each caller may do.

A caller's table only takes away: fewer tools, fewer calls, tighter limits. What is not
enrolled by name and subject is nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum, unique
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from home.section import LimitSetting, Section
from when_to_invest.callers import IdentityText
from when_to_invest.values import Name

AGENT: Final = "agent"
"""Who holds the token of this machine's agent."""
OWN_CALLERS: Final = frozenset({AGENT, "local"})
"""Whom this machine itself vouches for: its agent's token, and whoever started a server over stdio."""
RISK: Final = "risk"
"""The orders server itself, when a loss breaker has tripped; no caller has this name."""
RESERVED_NAMES: Final = frozenset({"operator", "local", RISK})
MOST_CALLS_PER_MINUTE: Final = 600
_HOST: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?")
"""A host and a port and nothing else: what follows a bracket would be looked up as a name."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@unique
class Algorithm(StrEnum):
    """Signatures that may vouch for a token: asymmetric ones only."""

    RS256 = "RS256"
    PS256 = "PS256"
    ES256 = "ES256"
    EDDSA = "EdDSA"


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_safe or _HOST.fullmatch(parts.netloc) is None or parts.query or parts.fragment:
        raise ValueError("give an https address without query, fragment or user")
    return text


WebAddress = Annotated[IdentityText, AfterValidator(_web_address)]
"""An https address; http only on this machine."""
Server = Literal["market", "orders", "chain"]
ToolName = Annotated[str, StringConstraints(pattern=r"^(market|orders|chain)\.[a-z_]{1,40}$")]
"""A tool with its server: `orders.propose_order`."""


class OAuthSettings(Section):
    """Which authorization server's tokens the servers believe, and by which keys.

    `jwks_file` is read below the home; `resources` names a server's public address where it
    is not the one it listens on.
    """

    issuer: WebAddress
    jwks_file: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,100}$")
    jwks_url: WebAddress | None = None
    algorithms: tuple[Algorithm, ...] = Field(default=tuple(Algorithm), min_length=1)
    leeway_s: int = Field(default=30, ge=0, le=60)
    resources: dict[Server, WebAddress] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Self:
        if (self.jwks_file is None) == (self.jwks_url is None):
            raise ValueError("name either jwks_file or jwks_url")
        return self


class CallerSettings(Section):
    """What one caller may do, within what its token opens.

    `tools` none means all; an empty list means none. `may_read` and `may_cancel` name other
    callers whose decisions it may see, or ask to cancel.
    """

    subject: IdentityText | None = None
    tools: tuple[ToolName, ...] | None = None
    calls_per_minute: int = Field(default=MOST_CALLS_PER_MINUTE, ge=1, le=MOST_CALLS_PER_MINUTE)
    limits: dict[str, LimitSetting] = Field(default_factory=dict)
    may_read: frozenset[Name] = frozenset()
    may_cancel: frozenset[Name] = frozenset()


EVERYTHING: Final = CallerSettings()
"""What holds for a caller without a table of its own."""


def check_callers(callers: Mapping[str, CallerSettings], *, oauth: OAuthSettings | None) -> None:
    """Check that every table belongs to somebody who can call.

    Raises:
        ValueError: a reserved or unknown name, a subject without `[oauth]`, or one subject twice.
    """
    for name, caller in callers.items():
        _check_subject(name, caller, oauth=oauth)
    subjects = [caller.subject for caller in callers.values() if caller.subject is not None]
    if len(set(subjects)) != len(subjects):
        raise ValueError("two callers have one subject")
    known = set(callers) | {AGENT}
    for name, caller in callers.items():
        if strangers := (caller.may_read | caller.may_cancel) - known:
            raise ValueError(f"callers.{name} speaks of {min(strangers)!r}, who is no caller")


def _check_subject(name: str, caller: CallerSettings, *, oauth: OAuthSettings | None) -> None:
    if name in RESERVED_NAMES:
        raise ValueError(f"callers.{name} is a reserved name")
    if name == AGENT and caller.subject is not None:
        raise ValueError("callers.agent is this machine's own and has no subject")
    if name != AGENT and caller.subject is None:
        raise ValueError(f"callers.{name} must name its subject")
    if caller.subject is not None and oauth is None:
        raise ValueError(f"callers.{name} has a subject, but there is no [oauth] table")
