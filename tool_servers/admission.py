"""How callers of the HTTP transport prove who they are, and what the doors are told of it.

Puts the SDK's own pieces together: its token check, its metadata of a protected resource
(RFC 9728), its guard against rebound names; and our porter and guard around them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from mcp.server.auth.routes import build_resource_metadata_url
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tool_servers.access import BearerTokens, Callers, SignedTokens
from tool_servers.doors import LONGEST_BODY_S, Addresses, Guard, Porter
from tool_servers.permits import Permits
from tool_servers.rates import RateLimiter
from tool_servers.refusals import Challenge

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from home.clock import Clock
    from home.paths import Home
    from home.settings import Settings
    from tool_servers.issuer_keys import Read

METADATA_PATH: Final = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, slots=True)
class Access:
    """Whose tokens open a server that listens at `url`.

    `resource` is what signed tokens must be issued for; `url` when none.
    """

    url: str
    callers: Callers
    signed: SignedTokens | None = None
    authorization_server: str | None = None
    resource: str | None = None

    @property
    def audience(self) -> str:
        """Return the resource's name in tokens and metadata."""
        return self.resource or self.url


def access_of(
    home: Home, settings: Settings, *, server: str, url: str, callers: Callers, clock: Clock | None = None
) -> Access:
    """Return who may call `server` under these settings. Tokens live by the wall's clock.

    Replayed time has no say in whether a token has expired.
    """
    oauth = settings.oauth
    if oauth is None:
        return Access(url, callers)
    from home.clock import WallClock
    from tool_servers.issuer_keys import IssuerKeys
    from tool_servers.oauth import issuer_of, signed_tokens

    wall = clock or WallClock()
    keys = IssuerKeys(_reader(home, settings), wall)
    return Access(
        url,
        callers,
        signed=signed_tokens(settings, server=server, url=url, keys=keys, clock=wall),
        authorization_server=oauth.issuer,
        resource=issuer_of(oauth, server=server, url=url).resource,
    )


def _reader(home: Home, settings: Settings) -> Read:
    from tool_servers.issuer_keys import from_address, from_file

    oauth = settings.oauth
    if oauth is not None and oauth.jwks_file is not None:
        return from_file(home.root / oauth.jwks_file)
    return from_address(str(oauth.jwks_url if oauth is not None else ""))


def authentication(access: Access | None) -> dict[str, Any]:
    """Return what the SDK's server is told about authentication."""
    if access is None:
        return {}
    url = AnyHttpUrl(access.audience)
    return {
        "auth": AuthSettings(
            issuer_url=AnyHttpUrl(access.authorization_server or access.url),
            resource_server_url=url,
            # Which scope a call needs depends on the tool: the guard and the permits ask for it.
            required_scopes=[],
            validate_token_resource=True,
        ),
        "token_verifier": BearerTokens(access.callers, resource=access.audience, signed=access.signed),
    }


def addresses_of(access: Access) -> Addresses:
    """Return the exact hosts a server answers under: its port on loopback, and its public name."""
    port = urlsplit(access.url).port
    names = [f"{host}:{port}" for host in ("127.0.0.1", "localhost", "[::1]")]
    origins = {f"http://{name}" for name in names}
    if access.resource is not None and access.resource != access.url:
        public = urlsplit(access.resource)
        names.append(public.netloc)
        origins.add(f"{public.scheme}://{public.netloc}")
    return Addresses(frozenset(names), frozenset(origins))


def transport_security(access: Access) -> TransportSecuritySettings:
    """Return the same addresses for the SDK's own check."""
    addresses = addresses_of(access)
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=sorted(addresses.hosts),
        allowed_origins=sorted(addresses.origins),
    )


def furnished(app: Starlette, *, access: Access, permits: Permits, limiter: RateLimiter) -> Starlette:
    """Return the SDK's application between porter and guard, with our metadata of the resource."""
    scopes = tuple(sorted({scope.value for scope in permits.scope_of_tool.values()}))
    metadata_url = str(build_resource_metadata_url(AnyHttpUrl(access.audience)))
    challenge = Challenge(metadata_url, scopes)
    app.router.routes[:] = [*_metadata_routes(access, scopes, metadata_url), *_besides_metadata(app)]
    app.user_middleware.insert(0, Middleware(Porter, addresses=addresses_of(access), challenge=challenge))
    needed = {tool: scope.value for tool, scope in permits.scope_of_tool.items()}
    app.user_middleware.append(
        Middleware(
            Guard,
            limiter=limiter,
            scopes_by_tool=needed,
            challenge=challenge,
            longest_body_s=LONGEST_BODY_S,
        )
    )
    return app


def _besides_metadata(app: Starlette) -> list[Any]:
    return [
        route
        for route in app.router.routes
        if not (isinstance(route, Route) and route.path.startswith(METADATA_PATH))
    ]


def _metadata_routes(access: Access, scopes: tuple[str, ...], metadata_url: str) -> list[Route]:
    """Return the resource's metadata at the root and at its own path (RFC 9728, 3.1)."""
    told: dict[str, Any] = {
        "resource": access.audience,
        "scopes_supported": list(scopes),
        "bearer_methods_supported": ["header"],
    }
    if access.authorization_server is not None:
        told["authorization_servers"] = [access.authorization_server]
    paths = sorted({METADATA_PATH, urlsplit(metadata_url).path})
    return [Route(path, endpoint=_telling(told), methods=["GET"]) for path in paths]


def _telling(told: dict[str, Any]) -> Callable[[Request], Response]:
    def tell(request: Request) -> Response:
        del request
        return JSONResponse(told)

    return tell
