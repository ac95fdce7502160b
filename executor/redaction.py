"""Takes secrets and personal data out of text before anybody writes it down or sends it on. Pure.

Stage: executor → log, alerts. A venue's own words may quote a key, a signed request or an e-mail
address. What looks like one is replaced, and so is every value that this process was told is
secret; a harmless word too many may go with it, never a secret too few.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

REDACTED: Final = "[redacted]"
MOST_SIGNS: Final = 1000
"""Longer text is cut: nobody reads more of a line, and a page of HTML is no message."""
_SHORTEST_SECRET: Final = 4
_NAMES: Final = (
    r"api[-_. ]?key|apikey|access[-_. ]?key|secret|pass(?:word|phrase|wd)?|token|signature|sign"
    r"|private[-_. ]?key|authori[sz]ation|cookie|session|credential|mnemonic|seed[-_. ]?phrase|nonce|otp|pin"
)
_SECRET_NAME: Final = re.compile(
    r"(?:^|[-_. ])(?:(?:api|access|private|seal)[-_. ]?(?:key|sign)|secret|pass(?:word|phrase|wd)|token"
    r"|signature|authori[sz]ation|cookie|credential|mnemonic)s?(?:$|[-_. ])",
    re.IGNORECASE,
)
_PATTERNS: Final = (
    re.compile(r"-----BEGIN[^-]{0,60}-----.*?(?:-----END[^-]{0,60}-----|\Z)", re.DOTALL),
    re.compile(r"\b(?:bearer|basic|digest)\s+\S+", re.IGNORECASE),
    # The value behind a name that promises a secret, quoted or not, up to what ends a value.
    re.compile(
        rf"(?:{_NAMES})[\w.-]*[\"']?\s*(?:[:=]|\bis\b)\s*(?:\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z)|[^\s,;&}})\]]+)",
        re.IGNORECASE,
    ),
    re.compile(r"(?<=://)[^\s/@]*@"),
    re.compile(r"[^\s@<>]+@[^\s@<>]+"),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{12,}"),
    re.compile(r"\b(?:sk|pk|rk|ghp|gho|ghs|xox[a-z])[-_][\w-]{8,}"),
    # Keys, tokens and signatures of every kind; ids of ours are shorter than 40 signs.
    re.compile(r"[\w+/=.~-]{40,}"),
)


def redacted(text: str, *, secrets: Iterable[str] = ()) -> str:
    """Return `text`, at most `MOST_SIGNS` of it, with what is or looks secret replaced by `REDACTED`.

    `secrets`: exact values that never appear; those of fewer than four signs are not looked for.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, REDACTED)
    text = text[: 4 * MOST_SIGNS]
    for pattern in _PATTERNS:
        text = pattern.sub(REDACTED, text)
    return text[:MOST_SIGNS]


def is_secret_name(name: str) -> bool:
    """Return whether a field or variable of this name holds a secret."""
    return _SECRET_NAME.search(name) is not None


def secrets_of(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the values of variables whose names say that they are secret."""
    return frozenset(
        value
        for name, value in environment.items()
        if is_secret_name(name) and len(value) >= _SHORTEST_SECRET
    )
