"""Signed tokens of an authorization server: who issued them, for whom, until when.

The resource server's part of OAuth as MCP describes it. A signature is checked by PyJWT
with a key of the issuer and an algorithm that settings allow, never with one that the token
chose; every claim must be there and of its kind. It must never pass a token on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tool_servers.access import TOOL_SCOPES, Admission, Scope
from when_to_invest.callers import Caller, Identity, subject_mark
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from jwt import PyJWK

    from home.callers import OAuthSettings
    from home.clock import Clock
    from home.settings import Settings
    from tool_servers.issuer_keys import IssuerKeys

LONGEST_TOKEN: Final = 8 * 1024
_REQUIRED: Final = ("iss", "aud", "exp", "sub")
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_ASK_AGAIN: Final = "ask the authorization server for a new token for this resource"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are believed, for which resource, and within which tolerance."""

    name: str
    resource: str
    algorithms: frozenset[str]
    leeway_s: int


@dataclass(frozen=True, slots=True)
class JwtTokens:
    """Admits the callers that are enrolled by their subject at one issuer."""

    issuer: Issuer
    keys: IssuerKeys
    clock: Clock
    enrolled: Mapping[str, str]
    """Subject at the issuer to the caller's name here."""

    def admit(self, token: str) -> Admission:
        """Return whom `token` admits, with the scopes it carries that this program knows.

        Raises:
            Fault: `unauthenticated` naming what is wrong with it, `forbidden` when its holder
                is not enrolled, `service_unavailable` when the issuer's keys cannot be read.
        """
        claims = self._verified(token)
        self._ensure_current(claims)
        subject = str(claims["sub"])
        name = self.enrolled.get(subject)
        if name is None:
            raise Fault(
                ErrorCode.FORBIDDEN,
                "the token is valid, but its subject is no caller of this home",
                fix="enrol the subject under [callers.NAME] in config.toml and restart",
            )
        mark = subject_mark(self.issuer.name, subject)
        identity = Identity(issuer=self.issuer.name, subject=mark)
        return Admission(Caller(name=name, identity=identity), _scopes(claims))

    def _verified(self, token: str) -> dict[str, Any]:
        """Return the claims of a token whose signature, issuer and audience hold."""
        import jwt

        try:
            key, algorithm = self._key(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self.issuer.resource,
                issuer=self.issuer.name,
                options={
                    "require": list(_REQUIRED),
                    # Times are judged below, on the injected clock.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.InvalidAudienceError:
            raise _refused("the token was issued for another resource") from None
        except jwt.InvalidIssuerError:
            raise _refused("the token was issued by another authorization server") from None
        except jwt.MissingRequiredClaimError as error:
            raise _refused(f"the token lacks the claim {error.claim}") from None
        except jwt.InvalidSignatureError:
            raise _refused("the token's signature does not belong to its issuer's key") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise _refused("the token cannot be read") from None
        return claims

    def _key(self, token: str) -> tuple[PyJWK, str]:
        """Return the issuer's key that the token names, and the algorithm to check it with."""
        import jwt

        if len(token) > LONGEST_TOKEN:
            raise _refused("the token is too long")
        header = jwt.get_unverified_header(token)
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in self.issuer.algorithms:
            raise _refused("the token's algorithm is not allowed here")
        if str(header.get("typ", "JWT")).lower() not in _TYPES or "crit" in header:
            raise _refused("the token is not an access token")
        found = self.keys.find(key_id) if isinstance(key_id, str) else None
        if found is None:
            raise _refused("the token names a key that its issuer does not have")
        if found.get("alg", algorithm) != algorithm:
            raise _refused("the token's algorithm is not that of its key")
        return jwt.PyJWK(dict(found), algorithm=algorithm), str(algorithm)

    def _ensure_current(self, claims: Mapping[str, Any]) -> None:
        now_s, leeway_s = self.clock.now().timestamp(), self.issuer.leeway_s
        if _instant_s(claims, "exp") <= now_s - leeway_s:
            raise _refused("the token has expired")
        if "nbf" in claims and _instant_s(claims, "nbf") > now_s + leeway_s:
            raise _refused("the token is not valid yet")
        if "iat" in claims and _instant_s(claims, "iat") > now_s + leeway_s:
            raise _refused("the token was issued in the future")


def signed_tokens(
    settings: Settings, *, server: str, url: str, keys: IssuerKeys, clock: Clock
) -> JwtTokens | None:
    """Return the judge of signed tokens for one server; none without `[oauth]`."""
    if settings.oauth is None:
        return None
    enrolled = {item.subject: name for name, item in settings.callers.items() if item.subject is not None}
    return JwtTokens(issuer_of(settings.oauth, server=server, url=url), keys, clock, enrolled)


def issuer_of(oauth: OAuthSettings, *, server: str, url: str) -> Issuer:
    """Return whose tokens count for `server`, which listens at `url`."""
    resources: Mapping[str, str] = {str(name): address for name, address in oauth.resources.items()}
    return Issuer(
        name=oauth.issuer,
        resource=resources.get(server, url),
        algorithms=frozenset(algorithm.value for algorithm in oauth.algorithms),
        leeway_s=oauth.leeway_s,
    )


def _instant_s(claims: Mapping[str, Any], name: str) -> int | float:
    """Return a claim that is an instant; NaN, infinity, text and truth values are none."""
    told = claims[name]
    if isinstance(told, bool) or not isinstance(told, (int, float)) or not abs(told) < 2**53:
        raise _refused(f"the token's claim {name} is no instant")
    return told


def _scopes(claims: Mapping[str, Any]) -> frozenset[Scope]:
    told = claims.get("scope", claims.get("scp", ""))
    words = told.split() if isinstance(told, str) else told if isinstance(told, list) else []
    return frozenset(scope for scope in TOOL_SCOPES if scope.value in words)


def _refused(why: str) -> Fault:
    return Fault(ErrorCode.UNAUTHENTICATED, why, fix=_ASK_AGAIN)
