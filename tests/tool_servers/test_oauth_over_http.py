"""A real client with tokens of a real issuer: only the right ones open anything."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import jwt
import pytest
from mcp import MCPError

from home.callers import CallerSettings
from home.clock import FixedClock, WallClock
from home.settings import Settings
from policies.caller_limits import limits_of_callers
from policies.limits import HARD_LIMITS, Limits
from tests.tool_servers.calling import MODES, answer_of, error_of
from tests.tool_servers.issuing import (
    ISSUER,
    AuthorizationServer,
    key_named,
    public_jwk,
)
from tests.tool_servers.open_server import call_tool, knock, opened, with_client
from tests.tool_servers.orders_door import ORDER, Opened, error_at, settings
from tool_servers.issuer_keys import COOL_DOWN
from when_to_invest.callers import Identity, subject_mark


def tighter_of(told: Settings) -> dict[str, Limits]:
    return limits_of_callers(HARD_LIMITS, {name: item.limits for name, item in told.callers.items()})


@pytest.fixture
def place(tmp_path: Path) -> Opened:
    return Opened(tmp_path)


@pytest.fixture
def url(place: Opened) -> Iterator[str]:
    with opened(place.build) as address:
        yield address


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("key", "alg"), [("one", "RS256"), ("one", "PS256"), ("curve", "ES256")])
def test_a_good_token_proposes_in_its_subjects_name(
    place: Opened, url: str, mode: str, key: str, alg: str
) -> None:
    token = place.issuer.token(key=key, alg=alg)
    told = answer_of(call_tool(url, token, "propose_order", mode=mode, **ORDER))
    assert (told["verdict"], told["intent"]["proposer"]) == ("approved", "alice-desk")
    (proposed,) = place.journalled("intent_proposed")
    assert proposed.identity == Identity(issuer=ISSUER, subject=subject_mark(ISSUER, "alice-7"))
    written = json.dumps([row.event.model_dump(mode="json") for row in place.bench.journal.recorded])
    assert token not in written
    assert "alice-7" not in written


def test_the_local_agents_token_goes_on_working(place: Opened, url: str) -> None:
    answer_of(call_tool(url, "agent-token", "propose_order", **ORDER))
    (proposed,) = place.journalled("intent_proposed")
    assert (proposed.caller, proposed.identity.issuer) == ("agent", "local")


DEEP = '{"a":' + "[" * 4_000


def packed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def nested_claims() -> str:
    """Return a token that the issuer signed though its claims are nested thousands deep."""
    claims = ('{"a":' + "[" * 2_900 + "]" * 2_900 + "}").encode()
    return jwt.PyJWS().encode(claims, key_named("one"), algorithm="RS256", headers={"kid": "one"})


def bad_tokens(issuer: AuthorizationServer) -> dict[str, tuple[str, str]]:
    """Return every wrong token with a word its refusal must hold."""
    now = int(time.time())
    good = issuer.token()
    head, body, signature = good.split(".")
    return {
        "wrong audience": (issuer.token(aud="http://127.0.0.1:1/mcp"), "another resource"),
        "no audience": (issuer.token(aud=None), "aud"),
        "audience is a prefix": (issuer.token(aud=issuer.resource[:-1]), "another resource"),
        "expired": (issuer.token(exp=now - 120), "expired"),
        "no expiry": (issuer.token(exp=None), "exp"),
        "expiry is NaN": (issuer.token(exp=float("nan")), "exp"),
        "expiry is infinite": (issuer.token(exp=float("inf")), "exp"),
        "expiry is true": (issuer.token(exp=True), "exp"),
        "expiry is text": (issuer.token(exp="9999999999"), "exp"),
        "not yet valid": (issuer.token(nbf=now + 600), "not valid yet"),
        "issued in the future": (issuer.token(iat=now + 600), "future"),
        "wrong issuer": (issuer.token(iss="https://evil.example"), "authorization server"),
        "issuer as a list": (issuer.token(iss=[ISSUER]), "token"),
        "no subject": (issuer.token(sub=None), "sub"),
        "algorithm none": (issuer.unsigned(), "algorithm"),
        "the public key as a secret": (issuer.signed_with_the_public_key(), "algorithm"),
        "an algorithm not allowed": (issuer.token(alg="RS512"), "algorithm"),
        "an unknown key": (issuer.token(key="two"), "key"),
        "another key under a known id": (issuer.token(key="two", kid="one"), "signature"),
        "the curve's key for RSA": (issuer.token(kid="curve"), "token"),
        "another's claims under a good signature": (
            f"{head}.{issuer.token(sub='bob-8').split('.')[1]}.{signature}",
            "signature",
        ),
        "no signature": (f"{head}.{body}.", "signature"),
        "a header of its own keys": (
            jwt.encode(
                issuer.claims(),
                key_named("two"),
                algorithm="RS256",
                headers={"jwk": public_jwk("two"), "jku": "https://evil.example/keys"},
            ),
            "key",
        ),
        "a critical extension": (
            jwt.encode(issuer.claims(), key_named("one"), "RS256", headers={"kid": "one", "crit": ["x"]}),
            "token",
        ),
        "an id token": (
            jwt.encode(issuer.claims(), key_named("one"), "RS256", headers={"kid": "one", "typ": "id+jwt"}),
            "access token",
        ),
        "too long": (issuer.token(padding="x" * 9_000), "too long"),
        "a header nested deep": (f"{packed(DEEP)}.{body}.{signature}", "read"),
        # Whether they can be read depends on how deep the interpreter goes, which libraries change.
        "claims nested deep": (nested_claims(), "the token"),
        "three dots": ("a.b.c", "read"),
        "nothing but dots": ("..", "read"),
        "not base64": (f"{head}.{body}.%%%", "read"),
    }


def test_no_wrong_token_opens_the_door_and_each_is_told_why(place: Opened, url: str) -> None:
    for what, (token, why) in bad_tokens(place.issuer).items():
        answer = knock(url, token)
        assert answer.status_code == 401, what
        error = error_at(answer)
        assert (error["code"], error["retryable"]) == ("unauthenticated", False), what
        assert why in error["message"], (what, error["message"])
        assert token not in answer.text
        challenge = answer.headers["www-authenticate"]
        assert challenge.startswith('Bearer error="invalid_token"')
        assert "resource_metadata=" in challenge
    assert place.journalled("intent_proposed") == []


def test_without_a_token_a_client_is_told_where_to_get_one(place: Opened, url: str) -> None:
    answer = knock(url, None)
    assert (answer.status_code, error_at(answer)["code"]) == (401, "unauthenticated")
    challenge = answer.headers["www-authenticate"]
    assert "error=" not in challenge
    assert 'scope="orders:propose orders:read"' in challenge
    metadata_url = challenge.partition('resource_metadata="')[2].rstrip('"')
    for address in (metadata_url, url.removesuffix("/mcp") + "/.well-known/oauth-protected-resource"):
        told = httpx2.get(address).json()
        assert told == {
            "resource": url,
            "authorization_servers": [ISSUER],
            "scopes_supported": ["orders:propose", "orders:read"],
            "bearer_methods_supported": ["header"],
        }


def test_a_real_client_with_a_wrong_token_gets_the_message(place: Opened, url: str) -> None:
    token = place.issuer.token(aud="https://elsewhere.example")
    with pytest.raises((MCPError, ExceptionGroup)) as error:
        call_tool(url, token, "get_portfolio", mode="legacy")
    assert "another resource" in repr(error.value) or "another resource" in str(
        getattr(error.value, "exceptions", "")
    )


def test_a_valid_token_of_a_stranger_opens_nothing(place: Opened, url: str) -> None:
    answer = knock(url, place.issuer.token(sub="mallory"))
    assert (answer.status_code, error_at(answer)["code"]) == (403, "forbidden")
    assert "mallory" not in answer.text


def test_a_new_key_opens_after_rotation_and_an_old_one_no_more(tmp_path: Path) -> None:
    clock = FixedClock(WallClock().now())
    place = Opened(tmp_path, clock=clock)
    with opened(place.build) as url:
        assert knock(url, place.issuer.token()).status_code == 200
        fresh = place.issuer.token(key="two")
        assert knock(url, fresh).status_code == 401
        place.issuer.publish("two")
        assert knock(url, fresh).status_code == 401  # read a moment ago: not again at once
        clock.move_to(clock.now() + COOL_DOWN)
        assert knock(url, fresh).status_code == 200
        assert knock(url, place.issuer.token()).status_code == 401


def test_unreadable_keys_are_an_outage_and_let_nobody_in(tmp_path: Path) -> None:
    place = Opened(tmp_path)
    place.issuer.keys_file.write_text("{")
    with opened(place.build) as url:
        answer = knock(url, place.issuer.token())
        assert answer.status_code == 503
        assert (error_at(answer)["code"], error_at(answer)["retryable"]) == ("service_unavailable", True)
        assert knock(url, "agent-token").status_code == 200


def test_the_same_token_opens_no_other_server(tmp_path: Path) -> None:
    first, second = Opened(tmp_path), Opened(tmp_path)
    with opened(first.build) as url, opened(second.build) as other:
        assert knock(url, first.issuer.token()).status_code == 200
        stolen = knock(other, first.issuer.token())
        assert (stolen.status_code, error_at(stolen)["code"]) == (401, "unauthenticated")


def test_a_token_without_the_scope_reads_but_does_not_propose(place: Opened, url: str) -> None:
    token = place.issuer.token(scope="orders:read")
    assert answer_of(call_tool(url, token, "list_orders"))["total"] == 0
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "propose_order"}}
    refused = knock(url, token, body | {"params": {"name": "propose_order", "arguments": ORDER}})
    assert (refused.status_code, error_at(refused)["code"]) == (403, "forbidden")
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert 'scope="orders:propose"' in refused.headers["www-authenticate"]
    names = with_client(url, token, lambda client: client.list_tools())
    assert "propose_order" not in {tool.name for tool in names.tools}
    assert place.journalled("intent_proposed") == []


def test_a_tool_named_twice_does_not_slip_past_the_scopes(place: Opened, url: str) -> None:
    token = place.issuer.token(scope="orders:read")
    arguments = json.dumps(ORDER)
    for first, last in (("get_portfolio", "propose_order"), ("propose_order", "get_portfolio")):
        raw = (
            '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":'
            f'{{"name":"{first}","name":"{last}","arguments":{arguments}}}}}'
        )
        headers = {
            "authorization": f"Bearer {token}",
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
        }
        httpx2.post(url, content=raw.encode(), headers=headers)
    assert place.journalled("intent_proposed") == []


@pytest.mark.parametrize("scope", ["", "market:read", "approvals", "operator", "ORDERS:READ"])
def test_scopes_of_other_doors_open_none_here(place: Opened, url: str, scope: str) -> None:
    token = place.issuer.token(scope=scope)
    answer = knock(url, token)
    assert (answer.status_code, error_at(answer)["code"]) == (403, "forbidden")
    root = url.removesuffix("/mcp")
    for path, method in (("/approvals", "POST"), ("/declines", "POST"), ("/held", "GET")):
        told = httpx2.request(method, root + path, headers={"authorization": f"Bearer {token}"}, json={})
        assert told.status_code in {401, 403}
        assert set(told.json()["error"]) == {"code", "message", "fix", "retryable"}


def test_callers_neither_see_nor_cancel_each_others_decisions(place: Opened, url: str) -> None:
    alice, bob = place.issuer.token(), place.issuer.token(sub="bob-8")
    hers = answer_of(call_tool(url, alice, "propose_order", **ORDER))["decision_id"]
    unknown = error_of(call_tool(url, bob, "get_order", decision_id="d-" + "0" * 24))
    assert error_of(call_tool(url, bob, "get_order", decision_id=hers)) == unknown
    assert error_of(call_tool(url, bob, "request_cancel", decision_id=hers)) == unknown
    assert answer_of(call_tool(url, bob, "list_orders")) == {"orders": [], "total": 0}
    assert answer_of(call_tool(url, bob, "get_portfolio"))["reservations"] == []
    assert place.journalled("cancel_requested") == []
    cancelled = answer_of(call_tool(url, alice, "request_cancel", decision_id=hers))
    assert cancelled["is_cancel_requested"]
    (event,) = place.journalled("cancel_requested")
    assert (event.caller, event.identity.subject) == ("alice-desk", subject_mark(ISSUER, "alice-7"))


def test_one_request_id_of_two_callers_is_two_decisions(place: Opened, url: str) -> None:
    ids = {
        answer_of(call_tool(url, place.issuer.token(sub=subject), "propose_order", **ORDER))["decision_id"]
        for subject in ("alice-7", "bob-8")
    }
    assert len(ids) == 2


def test_an_auditor_reads_what_settings_let_it_and_calls_nothing_else(place: Opened, url: str) -> None:
    auditor = place.issuer.token(sub="carol-9")
    hers = answer_of(call_tool(url, place.issuer.token(), "propose_order", **ORDER))["decision_id"]
    assert answer_of(call_tool(url, auditor, "get_order", decision_id=hers))["decision_id"] == hers
    for tool, arguments in (("propose_order", ORDER), ("request_cancel", {"decision_id": hers})):
        assert error_of(call_tool(url, auditor, tool, **arguments))["code"] == "forbidden"
    names = with_client(url, auditor, lambda client: client.list_tools())
    assert {tool.name for tool in names.tools} == {"get_order", "list_orders"}


def test_a_caller_is_judged_by_its_own_tighter_limits_and_told_them(tmp_path: Path) -> None:
    told = settings().callers | {
        "alice-desk": CallerSettings(subject="alice-7", limits={"max_order_notional_usd": "2000"})
    }
    place = Opened(tmp_path, callers=told)
    place.desk.court = replace(place.desk.court, tighter=tighter_of(place.bench.settings))
    with opened(place.build) as url:
        alice, bob = place.issuer.token(), place.issuer.token(sub="bob-8")
        refused = answer_of(call_tool(url, alice, "propose_order", **ORDER))
        assert refused["verdict"] == "refused"
        (reason,) = refused["reasons"]
        assert (reason["code"], reason["limit"]) == ("order_notional_exceeded", "2000")
        small = ORDER | {"notional_usd": "1500", "request_id": "r-2"}
        assert answer_of(call_tool(url, alice, "propose_order", **small))["verdict"] == "approved"
        assert answer_of(call_tool(url, bob, "propose_order", **ORDER))["verdict"] == "approved"
        hers, his = (answer_of(call_tool(url, who, "explain_limits"))["limits_hash"] for who in (alice, bob))
        assert hers != his
    sealed = {event.envelope.content.limits_hash for event in place.journalled("envelope_sealed")}
    assert sealed == {HARD_LIMITS.digest()}
