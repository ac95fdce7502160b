"""What shall go wrong, and where: a scripted plan, or odds with a seed. Pure; others carry it out.

A place is a request ("POST /api/v3/order") or a stream's topic ("depth BTC/USDT", on Kraken
"depth BTC/USD 10"), matched by shell patterns. The same plan met by the same places gives the
same mishaps.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase


class Kind(StrEnum):
    """The alphabet of faults."""

    DROP_REPLY = "drop_reply"
    """The request is carried out; the connection closes without a reply."""
    APPEAR_LATE = "appear_late"
    """As before, and the order is unknown to the next `reads` look-ups."""
    DELAY = "delay"
    """The request is carried out, the reply comes `seconds` later."""
    DUPLICATE = "duplicate"
    """The request arrives twice, the reply is that of the second; a stream's message comes twice."""
    REORDER = "reorder"
    """The request waits until the next one of its kind is done; two messages change places."""
    RATE_LIMITED = "rate_limited"
    """429 with Retry-After; nothing is carried out."""
    BANNED = "banned"
    """418 with Retry-After; nothing is carried out."""
    SERVER_ERROR = "server_error"
    """The request is carried out; the reply is a 5xx."""
    UNAVAILABLE = "unavailable"
    """A 5xx from the door; nothing is carried out."""
    GARBAGE = "garbage"
    """The request is carried out; the reply is a page of HTML with status 200."""
    HALF_OPEN = "half_open"
    """The connection stays open and silent, for good. A request is not carried out."""
    LOSE = "lose"
    """A stream's message never comes."""
    DISCONNECT = "disconnect"
    """The stream's connection is cut."""


@dataclass(slots=True)
class Mishap:
    """One entry of a plan: happens `times` times at matching places, after letting `after` pass."""

    kind: Kind
    where: str = "*"
    times: int = 1
    after: int = 0
    seconds: float = 0.0
    status: int = 503
    reads: int = 1
    retry_after_s: int = 1

    def __post_init__(self) -> None:
        self.kind = Kind(self.kind)

    def meets(self, place: str) -> bool:
        """Whether it happens here; counts that it came by."""
        if self.times <= 0 or not fnmatchcase(place, self.where):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return True


@dataclass(frozen=True, slots=True)
class Happened:
    """A mishap that came true."""

    kind: Kind
    place: str


@dataclass(slots=True)
class Mishaps:
    """The plan of one venue, what of it has happened, and how wrong the venue's clock is."""

    script: list[Mishap] = field(default_factory=list)
    skew_ms: int = 0
    happened: list[Happened] = field(default_factory=list)
    _odds: Mapping[Kind, float] = field(default_factory=dict)
    _where: str = "*"
    _chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - drawn, not secret

    def add(self, mishap: Mishap) -> None:
        self.script.append(mishap)

    def roll(self, odds: Mapping[Kind, float], *, seed: int, where: str = "*") -> None:
        """Let each kind happen at matching places with its probability in [0, 1]."""
        self._odds, self._where, self._chance = dict(odds), where, random.Random(seed)  # noqa: S311

    def at(self, place: str) -> Mishap | None:
        """Return what goes wrong here and now, or None."""
        mishap = next((m for m in self.script if m.meets(place)), None) or self._drawn(place)
        if mishap is not None:
            self.happened.append(Happened(mishap.kind, place))
        return mishap

    def _drawn(self, place: str) -> Mishap | None:
        if not self._odds or not fnmatchcase(place, self._where):
            return None
        draw = self._chance.random()
        for kind, odds in self._odds.items():
            draw -= odds
            if draw < 0:
                return Mishap(kind)
        return None
