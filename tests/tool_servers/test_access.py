"""Tokens open exactly what their holder needs."""

from __future__ import annotations

import asyncio

import pytest

from tool_servers.access import (
    LOCAL_CALLER,
    OPERATOR,
    TOOL_SCOPES,
    BearerTokens,
    Callers,
    Scope,
    caller_name,
    scopes_of,
    token_hash,
)

CALLERS = Callers({token_hash("agent-token"): "agent", token_hash("operator-token"): OPERATOR})
RESOURCE = "http://127.0.0.1:1/mcp"


def test_a_token_names_its_caller_and_nothing_else_does() -> None:
    assert CALLERS.name_of("agent-token") == "agent"
    assert CALLERS.name_of("operator-token") == OPERATOR
    for wrong in ("", "agent", "agent-token ", token_hash("agent-token")):
        assert CALLERS.name_of(wrong) is None


def test_the_agent_opens_tools_and_the_operator_approvals_never_both() -> None:
    assert scopes_of("agent") == set(Scope) - {Scope.APPROVALS}
    assert scopes_of(OPERATOR) == {Scope.APPROVALS}


def test_a_verified_token_is_bound_to_this_server_and_not_kept() -> None:
    token = asyncio.run(BearerTokens(CALLERS, resource=RESOURCE).verify_token("agent-token"))
    assert token is not None
    assert (token.client_id, token.resource) == ("agent", RESOURCE)
    assert (token.claims, token.subject) == ({"iss": "local"}, "agent")
    assert set(token.scopes) == TOOL_SCOPES
    assert "agent-token" not in token.model_dump_json()


@pytest.mark.parametrize("token", ["", "wrong"])
def test_an_unknown_token_verifies_as_nobody(token: str) -> None:
    assert asyncio.run(BearerTokens(CALLERS, resource=RESOURCE).verify_token(token)) is None


def test_without_a_token_the_caller_is_local() -> None:
    assert caller_name() == LOCAL_CALLER
