"""Who asked: the caller's name here, and the identity that was proven. Never a token.

Stage: access, and the journal. Pure values; nothing here verifies anything. What an issuer
calls a person stays out of the journal, which never forgets.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final

from pydantic import StringConstraints

from when_to_invest.values import Name, Value

IdentityText = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
"""Visible ASCII without spaces: what an issuer or a subject may consist of."""
LOCAL_ISSUER: Final = "local"
"""Issuer of the tokens that one machine's supervisor makes, and of callers over stdio."""


_MARK_DIGITS: Final = 32


class Identity(Value):
    """A proven identity: `subject` is unique only within `issuer`.

    An issuer's own word for a person stands here as its mark; journals from before marks were
    made hold the word itself.
    """

    issuer: IdentityText
    subject: IdentityText


class Caller(Value):
    """An authenticated caller: its name in this home, and who it was proven to be."""

    name: Name
    identity: Identity


def subject_mark(issuer: str, subject: str) -> str:
    """Return what stands for a subject in the journal: 128 bits of a hash over issuer and subject.

    The same subject always has the same mark, so that a caller can be followed and, with
    config.toml at hand, proven. Whoever can guess a subject can check the guess.
    """
    return "sub-" + hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:_MARK_DIGITS]


def local_caller(name: str) -> Caller:
    """Return a caller whom this machine itself vouches for."""
    return Caller(name=name, identity=Identity(issuer=LOCAL_ISSUER, subject=name))
