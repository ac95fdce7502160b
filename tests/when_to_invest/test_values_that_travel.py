"""Values across processes: frozen, strict, nothing extra, one form."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tests.when_to_invest.samples import ADDRESS, HASH, NOW, Story, chain_intent, order_intent
from when_to_invest.approvals import approval_typed_data, describe_intent
from when_to_invest.domains import SigningDomain
from when_to_invest.envelopes import Envelope, envelope_typed_data
from when_to_invest.instruments import Instrument, Interval, Session
from when_to_invest.intents import OrderIntent, Side, decision_id_of
from when_to_invest.values import Mode
from when_to_invest.verdicts import GATE_TOKEN, Approved, Held, Refused

HERE = SigningDomain(home_id=HASH, chain_id=31_337)


def test_an_intent_survives_the_queue() -> None:
    intent = order_intent()
    assert OrderIntent.model_validate_json(intent.canonical()) == intent


def test_an_intent_says_amounts_as_text() -> None:
    assert b'"quantity":"3.5"' in order_intent(quantity=Decimal("3.500")).canonical()


def test_equal_intents_have_equal_hashes_and_any_change_another() -> None:
    assert order_intent().digest() == order_intent(quantity=Decimal("3.50")).digest()
    changed = [{"quantity": Decimal("3.51")}, {"side": Side.SELL}, {"mode": Mode.LIVE}, {"why": "now"}]
    hashes = {order_intent(**change).digest() for change in changed}
    assert len(hashes | {order_intent().digest()}) == len(changed) + 1


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 3.5},
        {"quantity": Decimal(0)},
        {"quantity": Decimal(-1)},
        {"quantity": Decimal("NaN")},
        {"limit_price_usd": "Infinity"},
        {"limit_price_usd": None},
        {"side": "hold"},
        {"instrument": "spx"},
        {"instrument": "../SPX"},
        {"account": "Main Account"},
        {"request_id": "r 1"},
        {"why": "x" * 501},
        {"why": "\ud800"},
        {"proposed_at": datetime(2018, 6, 1)},  # noqa: DTZ001 - the point of the test
        {"client_order_id": "mine"},
        {"is_approved": True},
    ],
)
def test_an_intent_takes_nothing_unsound_and_nothing_extra(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        order_intent(**change)


def test_a_value_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        order_intent().quantity = Decimal(9)  # type: ignore[misc]


def test_an_instant_is_held_in_utc() -> None:
    intent = order_intent(proposed_at=NOW.astimezone(timezone(timedelta(hours=9))))
    assert intent.proposed_at.isoformat() == "2018-06-01T21:00:00+00:00"


def test_the_same_caller_and_key_are_the_same_decision() -> None:
    first = decision_id_of(proposer="agent", request_id="r-1")
    assert first == decision_id_of(proposer="agent", request_id="r-1")
    assert first != decision_id_of(proposer="other", request_id="r-1")
    assert first != decision_id_of(proposer="agent", request_id="r-2")


def test_two_callers_cannot_share_a_decision_by_gluing_names() -> None:
    assert decision_id_of(proposer="ab", request_id="c") != decision_id_of(proposer="a", request_id="bc")


def test_an_approver_reads_what_is_bought_and_how_real_it_is() -> None:
    assert describe_intent(order_intent()) == "BUY 3.5 SPX at up to 2750.25 USD on paper (replay)"
    assert (
        describe_intent(chain_intent())
        == f"TRANSFER 0.25 of native coin to {ADDRESS} on chain 31337 (replay)"
    )


def test_a_signature_binds_the_exact_intent_the_decision_and_the_expiry() -> None:
    intent = order_intent()
    message = approval_typed_data(decision_id="d-" + "0" * 24, intent=intent, expires_at=NOW, domain=HERE)[
        "message"
    ]
    assert message["intentHash"] == bytes.fromhex(intent.digest())
    assert message["decisionId"] == "d-" + "0" * 24
    assert message["expiresAt"] == "2018-06-01 21:00:00 UTC"


def test_the_fields_of_a_signed_document_are_the_ones_it_declares() -> None:
    content = Story(order_intent()).envelope().content
    documents = [
        approval_typed_data(
            decision_id=content.decision_id, intent=content.intent, expires_at=NOW, domain=domain
        )
        for domain in (None, HERE)
    ]
    documents += [
        envelope_typed_data(content),
    ]
    for document in documents:
        declared = {entry["name"] for entry in document["types"][document["primaryType"]]}
        assert declared == set(document["message"])


def test_a_seal_covers_every_field_of_its_content() -> None:
    content = Story(order_intent()).envelope().content
    later = content.model_copy(update={"expires_at": content.expires_at + timedelta(seconds=1)})
    hashes = {envelope_typed_data(c)["message"]["contentHash"] for c in (content, later)}
    assert len(hashes) == len((content, later))


def test_an_envelope_survives_the_queue() -> None:
    envelope = Story(order_intent()).envelope()
    assert Envelope.model_validate_json(envelope.canonical()) == envelope


@pytest.mark.parametrize(
    ("intent", "group"),
    [(order_intent(), "main|paper|SPX"), (chain_intent(), "main|chain|31337")],
)
def test_messages_are_ordered_within_account_venue_and_instrument(intent: Any, group: str) -> None:
    assert Story(intent).envelope().content.message_group == group


def test_nobody_but_the_gate_makes_an_approved() -> None:
    given: dict[str, Any] = {
        "intent": order_intent(),
        "facts_hash": HASH,
        "limits_hash": HASH,
        "judged_at": NOW,
        "approvers": (),
    }
    assert Approved(**given, token=GATE_TOKEN).intent == order_intent()
    for forged in (None, object(), type(GATE_TOKEN)(), "GATE_TOKEN"):
        with pytest.raises(TypeError, match=r"only policies\.gate"):
            Approved(**given, token=forged)


def test_the_token_shows_in_no_text() -> None:
    approved = Approved(
        intent=order_intent(),
        facts_hash=HASH,
        limits_hash=HASH,
        judged_at=NOW,
        approvers=(),
        token=GATE_TOKEN,
    )
    assert "token" not in repr(approved).lower()


def test_a_verdict_is_one_of_three_kinds() -> None:
    assert Refused(reasons=()) != Held(reasons=(), approvals_needed=1)


@pytest.mark.parametrize("step", ["lot_size", "tick_size_usd", "min_notional_usd"])
def test_an_instrument_without_a_positive_step_is_refused(step: str) -> None:
    given: dict[str, Any] = {
        "id": "SPX",
        "name": "S&P 500",
        "interval": Interval.DAY,
        "session": Session.EXCHANGE,
        "has_range": True,
        "has_volume": True,
        "lot_size": Decimal("0.01"),
        "tick_size_usd": Decimal("0.01"),
        "min_notional_usd": Decimal(1),
    }
    assert Instrument(**given).id == "SPX"
    with pytest.raises(ValidationError):
        Instrument(**given | {step: Decimal(0)})
