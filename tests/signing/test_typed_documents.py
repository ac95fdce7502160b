"""The documents that people and the gate sign, hashed by us, by a second encoder, and by the library."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from signing.eip712 import recover_address, typed_digest
from signing.keystore import KeystoreSigner
from tests.signing.naive_eip712 import naive_digest
from tests.when_to_invest.samples import Story, chain_intent, order_intent
from when_to_invest.approvals import approval_typed_data
from when_to_invest.domains import SigningDomain, wallet_json
from when_to_invest.envelopes import envelope_typed_data
from when_to_invest.intents import Side
from when_to_invest.motions import Motion, motion_typed_data
from when_to_invest.values import Mode

SECRET = (77).to_bytes(32)
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
domains = st.none() | st.builds(SigningDomain, home_id=hashes, chain_id=st.integers(1, 2**53 - 1))
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
lines = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=60)
amounts = st.decimals(min_value="0.000001", max_value=10**9, places=6)
intents = st.builds(
    order_intent, quantity=amounts, limit_price_usd=amounts, side=st.sampled_from(Side), why=lines
) | st.builds(chain_intent, amount=amounts, token=st.none() | st.just("0x" + "11" * 20))


def agreed(typed: dict[str, Any]) -> bytes:
    """Return the digest that all three of us compute, also of what a wallet is given."""
    ours = typed_digest(typed)
    exported = json.loads(json.dumps(wallet_json(typed)))
    signable = encode_typed_data(full_message=exported)
    library = keccak(b"\x19" + signable.version + signable.header + signable.body)
    assert ours == naive_digest(typed) == naive_digest(exported) == typed_digest(exported) == library
    by_wallet = Account.sign_typed_data(SECRET, full_message=exported).signature.hex()
    assert recover_address(ours, "0x" + by_wallet.removeprefix("0x")) == KeystoreSigner(SECRET).address
    return ours


@given(intents, instants, domains)
def test_approvals_hash_alike_everywhere(
    intent: Any, expires_at: datetime, domain: SigningDomain | None
) -> None:
    agreed(
        approval_typed_data(decision_id="d-" + "0" * 24, intent=intent, expires_at=expires_at, domain=domain)
    )


@given(domains)
def test_envelopes_hash_alike_everywhere(domain: SigningDomain | None) -> None:
    content = Story(order_intent()).envelope().content
    version = 1 if domain is None else 2
    agreed(envelope_typed_data(content.model_copy(update={"version": version, "domain": domain})))


@given(lines, lines, instants, st.integers(0, 2**53 - 1), domains.filter(lambda domain: domain is not None))
def test_motions_hash_alike_everywhere(
    summary: str, detail: str, expires_at: datetime, serial: int, domain: SigningDomain
) -> None:
    motion = Motion(
        purpose="Resume",
        summary=summary,
        details=(("scope", "".join(c for c in detail if c.isprintable())),),
        mode=Mode.REPLAY,
        requester="operator",
        serial=serial,
        expires_at=expires_at,
        domain=domain,
    )
    agreed(motion_typed_data(motion))


@given(domains, domains)
def test_another_home_or_chain_is_another_document(
    one: SigningDomain | None, other: SigningDomain | None
) -> None:
    about: dict[str, Any] = {"decision_id": "d-" + "0" * 24, "intent": order_intent(), "expires_at": EXPIRY}
    same = typed_digest(approval_typed_data(**about, domain=one)) == typed_digest(
        approval_typed_data(**about, domain=other)
    )
    assert same is (one == other)


EXPIRY = datetime(2018, 6, 1, 21, 0, tzinfo=UTC)


def test_a_wallet_shows_what_the_order_does() -> None:
    domain = SigningDomain(home_id="ab" * 32, chain_id=1)
    message = approval_typed_data(
        decision_id="d-" + "0" * 24, intent=order_intent(), expires_at=EXPIRY, domain=domain
    )["message"]
    assert {name: text for name, text in message.items() if name != "intentHash"} == {
        "decisionId": "d-" + "0" * 24,
        "action": "BUY",
        "instrument": "SPX",
        "quantity": "3.5",
        "worstPrice": "at most 2750.25 USD each",
        "worstTotal": "at most 9625.875 USD without fees",
        "account": "main",
        "venue": "paper",
        "requester": "agent",
        "mode": "replay",
        "expiresAt": "2018-06-01 21:00:00 UTC",
    }


def test_a_seller_is_shown_the_least_they_get() -> None:
    domain = SigningDomain(home_id="ab" * 32, chain_id=1)
    sale = order_intent(side=Side.SELL, quantity=Decimal(2))
    expires_at = EXPIRY + timedelta(microseconds=1)
    message = approval_typed_data(
        decision_id="d-" + "0" * 24, intent=sale, expires_at=expires_at, domain=domain
    )["message"]
    assert message["worstTotal"] == "at least 5500.5 USD without fees"
    assert message["expiresAt"] == "2018-06-01 21:00:00.000001 UTC"
