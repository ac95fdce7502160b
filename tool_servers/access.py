"""Who calls: bearer tokens to callers, and what each token opens.

Two kinds of token: this machine's own, known by their SHA-256 only and compared in
constant time, and, where `[oauth]` is configured, signed ones of an authorization server
(`oauth`). The agent's token opens the tools, the operator's the approvals, neither opens
the other's door, and no signed token opens the approvals.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Final, Protocol

from when_to_invest.callers import LOCAL_ISSUER, Caller, Identity, local_caller
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from mcp.server.auth.provider import AccessToken

LOCAL_CALLER: Final = "local"
"""Who calls over stdio or in memory: the person who started the process."""
OPERATOR: Final = "operator"


@unique
class Scope(StrEnum):
    """What a token opens."""

    MARKET_READ = "market:read"
    ORDERS_READ = "orders:read"
    ORDERS_PROPOSE = "orders:propose"
    CHAIN_PROPOSE = "chain:propose"
    APPROVALS = "approvals"


TOOL_SCOPES: Final = frozenset(set(Scope) - {Scope.APPROVALS})
"""What a caller of tools can be given; the approvals are for the operator's own token."""
_READING: Final = {
    "market": Scope.MARKET_READ,
    "orders": Scope.ORDERS_READ,
    "chain": Scope.CHAIN_PROPOSE,
}
_CHANGING: Final = {"orders": Scope.ORDERS_PROPOSE, "chain": Scope.CHAIN_PROPOSE}


def scope_for(server: str, *, is_read_only: bool) -> Scope:
    """Return the scope that a tool of `server` needs.

    Raises:
        ValueError: the server has no scope for such a tool, so it cannot be offered.
    """
    needed = (_READING if is_read_only else _CHANGING).get(server)
    if needed is None:
        raise ValueError(f"no scope opens the tools of {server!r}")
    return needed


def scopes_of(caller: str) -> frozenset[Scope]:
    """Return what a local token opens: the operator answers holds, everyone else uses tools."""
    return frozenset({Scope.APPROVALS}) if caller == OPERATOR else TOOL_SCOPES


def token_hash(token: str) -> str:
    """Return the SHA-256 of a token as 64 hex digits."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


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


@dataclass(frozen=True, slots=True)
class Admission:
    """Whom a signed token proves to call, and what it opens."""

    caller: Caller
    scopes: frozenset[Scope]


class SignedTokens(Protocol):
    """Judges the tokens of an authorization server."""

    def admit(self, token: str) -> Admission:
        """Return whom `token` admits; blocking, at most a few seconds.

        Raises:
            Fault: `unauthenticated`, `forbidden` or `service_unavailable`.
        """
        ...


@dataclass(slots=True)
class RefusalNote:
    """Why the request in progress was not let in; the door writes it into its answer."""

    fault: Fault | None = None


REFUSAL: Final[ContextVar[RefusalNote | None]] = ContextVar("refusal", default=None)


def note_refusal(fault: Fault) -> None:
    """Leave the reason for whoever answers the request in progress."""
    note = REFUSAL.get()
    if note is not None:
        note.fault = fault


@dataclass(frozen=True, slots=True)
class BearerTokens:
    """The SDK's token verifier over local and signed tokens (an OAuth resource server's part)."""

    callers: Callers
    resource: str
    signed: SignedTokens | None = field(default=None)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return who holds `token` and what it opens; none when nobody does."""
        name = self.callers.name_of(token)
        if name is not None:
            return self._told(token, Admission(local_caller(name), scopes_of(name)))
        return await self._signed(token)

    async def _signed(self, token: str) -> AccessToken | None:
        from anyio.to_thread import run_sync

        if self.signed is None:
            note_refusal(_unknown_token())
            return None
        try:
            return self._told(token, await run_sync(self.signed.admit, token))
        except Fault as fault:
            note_refusal(fault)
            return None

    def _told(self, token: str, admission: Admission) -> AccessToken:
        from mcp.server.auth.provider import AccessToken

        identity = admission.caller.identity
        return AccessToken(
            token=token_hash(token),
            client_id=admission.caller.name,
            scopes=sorted(admission.scopes),
            subject=identity.subject,
            claims={"iss": identity.issuer},
            # Its audience was checked; a local token belongs to the servers of its machine.
            resource=self.resource,
        )


def _unknown_token() -> Fault:
    return Fault(
        ErrorCode.UNAUTHENTICATED,
        "the bearer token is not one this server knows",
        fix="use the token in run/agent.token of this home; it changes with every `up`",
    )


def caller() -> Caller:
    """Return the authenticated caller of the call in progress, `local` without a token."""
    from mcp.server.auth.middleware.auth_context import get_access_token

    token = get_access_token()
    if token is None:
        return local_caller(LOCAL_CALLER)
    issuer = str((token.claims or {}).get("iss", LOCAL_ISSUER))
    return Caller(
        name=token.client_id, identity=Identity(issuer=issuer, subject=token.subject or token.client_id)
    )


def caller_name() -> str:
    """Return the authenticated caller's name, `local` without a token."""
    return caller().name


def held_scopes() -> frozenset[str] | None:
    """Return what the token of the call in progress opens; none where no token is asked for."""
    from mcp.server.auth.middleware.auth_context import get_access_token

    token = get_access_token()
    return None if token is None else frozenset(token.scopes)
