"""The policies on the queue, its key and the sealing key, judged as AWS judges: a denial wins."""

from __future__ import annotations

from dataclasses import fields, replace
from fnmatch import fnmatchcase
from typing import Any

import pytest

from infra.iam.roles import Guarded, Principals, guard_policy

ACCOUNT = "123456789012"


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


PRINCIPALS = Principals(
    proposing_role_arn=role("proposing"),
    executor_role_arn=role("executor"),
    key_keeper_role_arn=role("keeper"),
    queue_arn=f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders.fifo",
    region="eu-west-1",
)
PEOPLE = ("proposing", "executor", "keeper", "agent", "market", "administrator")
SIGNING = {"kms:SigningAlgorithm": "ECDSA_SHA_256", "kms:MessageType": "DIGEST"}
THROUGH_SQS = {"kms:ViaService": "sqs.eu-west-1.amazonaws.com"}


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def speaks_of(part: dict[str, Any], who: str, action: str) -> bool:
    principal = part["Principal"]
    is_meant = principal == "*" or role(who) in listed(principal["AWS"])
    return is_meant and any(fnmatchcase(action, pattern) for pattern in listed(part["Action"]))


def holds(part: dict[str, Any], facts: dict[str, str]) -> bool:
    for kind, wanted in part.get("Condition", {}).items():
        for name, values in wanted.items():
            is_among = facts.get(name) in listed(values)
            if is_among is (kind == "ArnNotEquals"):
                return False
    return True


def decides(guarded: Guarded, who: str, action: str, **facts: str) -> str:
    """Return `Deny`, `Allow` or nothing: what this policy alone says, as AWS would."""
    told = facts | {"aws:PrincipalArn": role(who)}
    parts = guard_policy(guarded, PRINCIPALS)["Statement"]
    effects = {part["Effect"] for part in parts if speaks_of(part, who, action) and holds(part, told)}
    return "Deny" if "Deny" in effects else "".join(effects)


def may(guarded: Guarded, action: str, **facts: str) -> set[str]:
    return {who for who in PEOPLE if decides(guarded, who, action, **facts) == "Allow"}


def test_the_proposing_server_alone_signs_and_digests_alone() -> None:
    assert may(Guarded.SEAL_KEY, "kms:Sign", **SIGNING) == {"proposing"}
    assert may(Guarded.SEAL_KEY, "kms:Sign", **SIGNING | {"kms:MessageType": "RAW"}) == set()
    assert may(Guarded.SEAL_KEY, "kms:Sign", **SIGNING | {"kms:SigningAlgorithm": "ECDSA_SHA_384"}) == set()
    assert may(Guarded.SEAL_KEY, "kms:Sign") == set()


def test_a_role_s_own_policy_cannot_let_anybody_else_sign() -> None:
    for who in set(PEOPLE) - {"proposing"}:
        for action in ("kms:Sign", "kms:CreateGrant"):
            assert decides(Guarded.SEAL_KEY, who, action, **SIGNING) == "Deny", who


@pytest.mark.parametrize("action", ["kms:PutKeyPolicy", "kms:CreateGrant", "kms:ScheduleKeyDeletion"])
def test_who_seals_cannot_pass_the_right_on_or_lose_the_key(action: str) -> None:
    assert decides(Guarded.SEAL_KEY, "proposing", action) == "Deny"
    assert "agent" not in may(Guarded.SEAL_KEY, action)


def test_the_keys_keepers_alone_can_change_who_may_use_them() -> None:
    for key in (Guarded.SEAL_KEY, Guarded.QUEUE_KEY):
        assert may(key, "kms:PutKeyPolicy") == {"keeper"}


def test_the_executor_reads_the_queue_and_cannot_encrypt_what_it_would_read() -> None:
    assert may(Guarded.QUEUE_KEY, "kms:Decrypt", **THROUGH_SQS) == {"proposing", "executor"}
    assert may(Guarded.QUEUE_KEY, "kms:GenerateDataKey", **THROUGH_SQS) == {"proposing"}
    assert may(Guarded.QUEUE_KEY, "kms:Decrypt") == set()
    for who in ("keeper", "agent", "administrator"):
        assert decides(Guarded.QUEUE_KEY, who, "kms:Decrypt", **THROUGH_SQS) == "Deny"


def test_the_queue_takes_nothing_in_the_open_from_anybody() -> None:
    for who in PEOPLE:
        for action in ("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:GetQueueAttributes"):
            in_the_open = decides(Guarded.ORDER_QUEUE, who, action, **{"aws:SecureTransport": "false"})
            assert in_the_open == "Deny"


def test_a_role_s_own_policy_cannot_let_anybody_else_send_or_receive() -> None:
    tls = {"aws:SecureTransport": "true"}
    for action, alone in (
        ("sqs:SendMessage", "proposing"),
        ("sqs:ReceiveMessage", "executor"),
        ("sqs:DeleteMessage", "executor"),
        ("sqs:ChangeMessageVisibility", "executor"),
    ):
        said = {who: decides(Guarded.ORDER_QUEUE, who, action, **tls) for who in PEOPLE}
        assert {who for who, effect in said.items() if effect != "Deny"} == {alone}


@pytest.mark.parametrize("guarded", Guarded)
def test_nobody_is_allowed_by_a_pattern(guarded: Guarded) -> None:
    for part in guard_policy(guarded, PRINCIPALS)["Statement"]:
        if part["Effect"] == "Allow":
            assert part["Principal"] != "*"
            assert "*" not in str(part["Principal"]) + str(part["Action"])


@pytest.mark.parametrize("name", [field.name for field in fields(Principals)])
@pytest.mark.parametrize("value", ["", "*", f"arn:aws:iam::{ACCOUNT}:role/*", 'x", "AWS": "*'])
def test_a_name_that_would_widen_a_policy_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        guard_policy(Guarded.SEAL_KEY, replace(PRINCIPALS, **{name: value}))
