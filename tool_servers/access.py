"""Who calls: bearer tokens to caller names, by SHA-256, compared in constant time.

The server knows only the tokens' hashes. A token belongs to one caller, a caller to one
role, a role to the scopes it needs and no more: the agent's token opens the tools, the
operator's the approvals, neither opens the other's door.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mcp.server.auth.provider import AccessToken

LOCAL_CALLER: Final = "local"
"""Who calls over stdio or in memory: the person who started the process."""
OPERATOR: Final = "operator"


@unique
class Scope(StrEnum):
    """What a token opens."""

    TOOLS = "tools"
    APPROVALS = "approvals"


def scopes_of(caller: str) -> frozenset[Scope]:
    """Return what `caller` may do: the operator answers holds, everyone else uses tools."""
    return frozenset({Scope.APPROVALS if caller == OPERATOR else Scope.TOOLS})


def token_hash(token: str) -> str:
    """Return the SHA-256 of a token as 64 hex digits."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Callers:
    """Token hashes of the callers a server knows."""

    by_token_hash: Mapping[str, str]

    def name_of(self, token: str) -> str | None:
        """Return the caller whose token this is, looking at every entry in equal time."""
        presented = token_hash(token)
        found: str | None = None
        for known, caller in self.by_token_hash.items():
            if hmac.compare_digest(known, presented):
                found = caller
        return found


class BearerTokens:
    """The SDK's token verifier over static tokens (an OAuth resource server's part)."""

    def __init__(self, callers: Callers, *, resource: str) -> None:
        self._callers = callers
        self._resource = resource

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return who holds `token` and what it opens; none when nobody does."""
        from mcp.server.auth.provider import AccessToken

        caller = self._callers.name_of(token)
        if caller is None:
            return None
        return AccessToken(
            token=token_hash(token),
            client_id=caller,
            scopes=sorted(scopes_of(caller)),
            subject=caller,
            resource=self._resource,
        )


def caller_name() -> str:
    """Return the authenticated caller of the call in progress, `local` without a token."""
    from mcp.server.auth.middleware.auth_context import get_access_token

    token = get_access_token()
    return token.client_id if token else LOCAL_CALLER
