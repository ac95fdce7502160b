"""A role's document says exactly what its process may do, and names one resource each."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from infra.iam.roles import Resources, Role, role_policy

ACCOUNT = "123456789012"
RESOURCES = Resources(
    queue_arn=f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders.fifo",
    dead_letter_arn=f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders-dead.fifo",
    queue_key_arn=f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/0b1c",
    ledger_user_arn=f"arn:aws:rds-db:eu-west-1:{ACCOUNT}:dbuser:cluster-1/ledger",
    region="eu-west-1",
)
RECEIVING = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"}


def _statements(role: Role, effect: str) -> list[dict[str, Any]]:
    return [part for part in role_policy(role, RESOURCES)["Statement"] if part["Effect"] == effect]


def _actions(role: Role, effect: str = "Allow") -> set[str]:
    named = [part["Action"] for part in _statements(role, effect)]
    return {action for actions in named for action in ([actions] if isinstance(actions, str) else actions)}


@pytest.mark.parametrize("role", [Role.AGENT, Role.MARKET_SERVER])
def test_what_only_reads_and_proposes_is_allowed_nothing_at_all(role: Role) -> None:
    assert _actions(role) == set()
    assert {"sqs:*", "kms:*"} <= _actions(role, "Deny")


def test_the_proposing_server_sends_and_never_receives() -> None:
    assert "sqs:SendMessage" in _actions(Role.PROPOSING_SERVER)
    assert not _actions(Role.PROPOSING_SERVER) & RECEIVING
    assert _actions(Role.PROPOSING_SERVER, "Deny") >= RECEIVING


def test_the_executor_receives_and_never_sends() -> None:
    assert _actions(Role.EXECUTOR) >= RECEIVING
    assert "sqs:SendMessage" not in _actions(Role.EXECUTOR)
    assert {"sqs:SendMessage", "sqs:StartMessageMoveTask"} <= _actions(Role.EXECUTOR, "Deny")


@pytest.mark.parametrize("role", Role)
def test_nothing_is_allowed_on_everything_and_no_action_by_a_pattern(role: Role) -> None:
    for part in _statements(role, "Allow"):
        assert "*" not in str(part["Resource"])
        assert "*" not in str(part["Action"])
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(part)


@pytest.mark.parametrize("role", Role)
def test_a_key_is_used_through_the_queue_alone(role: Role) -> None:
    for part in _statements(role, "Allow"):
        if "kms:" in str(part["Action"]):
            assert part["Condition"] == {"StringEquals": {"kms:ViaService": "sqs.eu-west-1.amazonaws.com"}}


@pytest.mark.parametrize("name", [field.name for field in fields(Resources)])
@pytest.mark.parametrize("value", ["", "*", "arn:aws:sqs:*", 'x", "Resource": "*', "a b"])
def test_a_name_that_would_widen_the_rights_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        role_policy(Role.EXECUTOR, replace(RESOURCES, **{name: value}))
