"""Who asked: the caller's name here, and the identity that was proven. Never a token.

Stage: access, and the journal. Pure values; nothing here verifies anything.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import StringConstraints

from when_to_invest.values import Name, Value

IdentityText = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
"""Visible ASCII without spaces: what an issuer or a subject may consist of."""
LOCAL_ISSUER: Final = "local"
"""Issuer of the tokens that one machine's supervisor makes, and of callers over stdio."""


class Identity(Value):
    """A proven identity: `subject` is unique only within `issuer`."""

    issuer: IdentityText
    subject: IdentityText


class Caller(Value):
    """An authenticated caller: its name in this home, and who it was proven to be."""

    name: Name
    identity: Identity


def local_caller(name: str) -> Caller:
    """Return a caller whom this machine itself vouches for."""
    return Caller(name=name, identity=Identity(issuer=LOCAL_ISSUER, subject=name))
