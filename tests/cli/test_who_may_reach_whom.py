"""Only the executor may sign alerts, and only who traces is told where traces go."""

from __future__ import annotations

import pytest

from cli.service_files import Tokens
from cli.service_process import TO_COLLECTOR, TO_PEOPLE
from cli.supervisor import service_specs
from home.operations import OperationsSettings
from home.settings import Settings

HOOK = "https://hooks.example/alerts"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"


def reach(**operations: str) -> dict[str, tuple[str, ...]]:
    settings = Settings(operations=OperationsSettings(**operations))  # type: ignore[arg-type]
    specs = service_specs(settings, passphrase="", tokens=Tokens("a", "o"))
    return {spec.name: spec.may_reach for spec in specs}


def test_only_the_executor_gets_the_alerts_secret_and_only_with_a_webhook() -> None:
    assert {name for name, names in reach(webhook_url=HOOK).items() if TO_PEOPLE in names} == {"executor"}
    assert not [name for name, names in reach().items() if TO_PEOPLE in names]


def test_only_the_executor_reaches_aws_for_a_topic() -> None:
    assert {name for name, names in reach(sns_topic_arn=TOPIC).items() if "AWS_" in names} == {"executor"}


@pytest.mark.parametrize(("name", "is_told"), [("orders", True), ("executor", True), ("market", False)])
def test_only_who_traces_is_told_where_traces_go(name: str, is_told: bool) -> None:  # noqa: FBT001 - drawn
    assert (TO_COLLECTOR in reach()[name]) is is_told
