"""Who may do what with the queue, on a server that checks every call against its caller's role.

The documents are those of production. What the emulator gets wrong is stood by here: it denies
the batch calls, which AWS authorises like the single ones, and asks no rights to a queue's key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from home.settings import QueueKind, QueueSettings
from infra.iam.roles import Guarded as Resource
from infra.iam.roles import Principals, Resources, Role, guard_policy, role_policy
from ledger.connect import open_receiving, open_sender
from ledger.queue import OutgoingMessage
from ledger.sqs_client import connect_sqs
from ledger.sqs_provision import provision_queue
from ledger.sqs_queue import SqsDeadLetters, SqsReceiver, SqsSender, ensure_queue, find_dead_letters
from signing.eip712 import recover_address
from signing.kms import ALGORITHM, KEY_SPEC, KEY_USAGE, connect_kms, open_kms_signer
from tests.contracts.sqs_server import sqs_server
from when_to_invest.errors import ErrorCode, Fault

REGION = "us-east-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
SESSION = "one-task"
STRANGER = "arn:aws:iam::000000000000:role/stranger"
NOTHING_HERE = Path("nowhere")
_numbers = count(1)


@dataclass(frozen=True)
class Guarded:
    """A queue behind roles, and how to become one of them."""

    settings: QueueSettings
    dead_letter_url: str
    become: Callable[[Role], None]
    principals: Principals


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("rights")
    with sqs_server(directory, services="sqs,iam,sts,kms", checks_rights=True) as url:
        yield url


@pytest.fixture
def guarded(address: str, monkeypatch: pytest.MonkeyPatch) -> Guarded:
    _use(monkeypatch, {"AccessKeyId": "test", "SecretAccessKey": "test"})
    settings = QueueSettings(kind=QueueKind.SQS, endpoint_url=address, region=REGION)
    sqs, name = connect_sqs(settings), f"orders-{next(_numbers)}"
    key = _client("kms", address).create_key()["KeyMetadata"]["Arn"]
    made = provision_queue(sqs, name=name, visibility_s=30, max_receives=3, kms_key=key)
    resources = Resources(
        queue_arn=_arn(sqs, made.url),
        dead_letter_arn=_arn(sqs, made.dead_letter_url),
        queue_key_arn=key,
        ledger_user_arn=f"arn:aws:rds-db:{REGION}:000000000000:dbuser:cluster-1/ledger",
        region=REGION,
    )
    identities = {role: _identity(role, resources, address, name) for role in Role}
    return Guarded(
        settings.model_copy(update={"url": made.url}),
        made.dead_letter_url,
        lambda role: _use(monkeypatch, identities[role]),
        Principals(
            proposing_role_arn=_role_arn(Role.PROPOSING_SERVER, name),
            executor_role_arn=_role_arn(Role.EXECUTOR, name),
            key_keeper_role_arn="arn:aws:iam::000000000000:role/key-keeper",
            queue_arn=resources.queue_arn,
            region=REGION,
        ),
    )


def _role_arn(role: Role, name: str) -> str:
    """Return what this server compares a caller with: the session, where AWS takes its role."""
    return f"arn:aws:sts::000000000000:assumed-role/{role.value}-{name}/{SESSION}"


def _client(service: str, address: str) -> Any:
    import boto3

    # Not the shared session, which keeps the credentials that it met first.
    return boto3.session.Session().client(service, endpoint_url=address, region_name=REGION)


def _arn(sqs: Any, url: str) -> str:
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def _identity(role: Role, resources: Resources, address: str, name: str) -> dict[str, str]:
    iam, sts = _client("iam", address), _client("sts", address)
    made = iam.create_role(RoleName=f"{role.value}-{name}", AssumeRolePolicyDocument=json.dumps(TRUST))
    document = json.dumps(role_policy(role, resources))
    iam.put_role_policy(RoleName=f"{role.value}-{name}", PolicyName="rights", PolicyDocument=document)
    session = sts.assume_role(RoleArn=made["Role"]["Arn"], RoleSessionName=SESSION)
    return dict(session["Credentials"])


def _use(monkeypatch: pytest.MonkeyPatch, credentials: dict[str, str]) -> None:
    """Give this process a task's credentials, the way it gets them in production: from outside."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", credentials.get("SessionToken", ""))
    if "SessionToken" not in credentials:
        monkeypatch.delenv("AWS_SESSION_TOKEN")


def message(number: int = 1) -> OutgoingMessage:
    return OutgoingMessage("sealed", "main|paper|SPX", f"d-{number}")


def assert_denied(act: Callable[[], object]) -> None:
    with pytest.raises(Fault) as caught:
        act()
    assert caught.value.code is ErrorCode.UNAUTHENTICATED
    assert "role" in caught.value.fix


def receiving_acts(guarded: Guarded, *, url: str) -> list[Callable[[], object]]:
    receiver = SqsReceiver(url, connect_sqs(guarded.settings), visibility_s=30)
    return [
        lambda: receiver.receive(max_messages=1, wait_s=0.0),
        lambda: receiver.delete("any"),
        lambda: receiver.delete_batch(["any"]),
        lambda: receiver.extend("any", visibility_s=0),
        lambda: SqsDeadLetters(url, connect_sqs(guarded.settings)).look(max_messages=1),
    ]


def sending_acts(guarded: Guarded, *, url: str) -> list[Callable[[], object]]:
    sender = SqsSender(url, connect_sqs(guarded.settings))
    return [lambda: sender.send(message()), lambda: sender.send_batch([message()])]


def test_an_envelope_passes_from_the_server_to_the_executor(guarded: Guarded) -> None:
    guarded.become(Role.PROPOSING_SERVER)
    sent = open_sender(guarded.settings, NOTHING_HERE).send(message())
    guarded.become(Role.EXECUTOR)
    end = open_receiving(guarded.settings, NOTHING_HERE)
    (received,) = end.receiver.receive(max_messages=1, wait_s=0.0)
    assert received.message_id == sent
    end.receiver.extend(received.receipt, visibility_s=60)
    end.receiver.delete(received.receipt)
    assert end.receiver.is_empty()
    assert end.dead_letters.look(max_messages=1) == ()


@pytest.mark.parametrize("role", [Role.AGENT, Role.MARKET_SERVER])
def test_the_agent_can_neither_send_nor_receive_nor_look(guarded: Guarded, role: Role) -> None:
    guarded.become(role)
    for url in (guarded.settings.url, guarded.dead_letter_url):
        for act in (*sending_acts(guarded, url=url), *receiving_acts(guarded, url=url)):
            assert_denied(act)
    assert_denied(lambda: ensure_queue(guarded.settings.url, connect_sqs(guarded.settings)))
    assert_denied(lambda: find_dead_letters(guarded.settings.url, connect_sqs(guarded.settings)))


def test_the_executor_cannot_send_to_any_queue(guarded: Guarded) -> None:
    guarded.become(Role.EXECUTOR)
    for url in (guarded.settings.url, guarded.dead_letter_url):
        for act in sending_acts(guarded, url=url):
            assert_denied(act)


def test_the_proposing_server_cannot_receive_from_any_queue(guarded: Guarded) -> None:
    guarded.become(Role.PROPOSING_SERVER)
    for url in (guarded.settings.url, guarded.dead_letter_url):
        for act in receiving_acts(guarded, url=url):
            assert_denied(act)
    for act in sending_acts(guarded, url=guarded.dead_letter_url):
        assert_denied(act)


@pytest.mark.parametrize("role", Role)
def test_no_role_empties_changes_or_takes_over_the_queue(guarded: Guarded, role: Role, address: str) -> None:
    from botocore.exceptions import ClientError

    guarded.become(role)
    sqs, sts = connect_sqs(guarded.settings), _client("sts", address)
    url = guarded.settings.url
    for act in (
        lambda: sqs.purge_queue(QueueUrl=url),
        lambda: sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"}),
        lambda: sqs.delete_queue(QueueUrl=url),
        lambda: sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/other", RoleSessionName="takes-over"),
    ):
        with pytest.raises(ClientError) as caught:
            act()
        assert caught.value.response["Error"]["Code"] == "AccessDenied"


def seal_key(guarded: Guarded, address: str, *, conditions: bool = True) -> str:
    """Make a sealing key under its production policy; return its ARN."""
    policy = guard_policy(Resource.SEAL_KEY, guarded.principals)
    if not conditions:  # this server does not tell policies what is signed and how
        policy["Statement"][0].pop("Condition")
    made = _client("kms", address).create_key(KeySpec=KEY_SPEC, KeyUsage=KEY_USAGE, Policy=json.dumps(policy))
    return str(made["KeyMetadata"]["Arn"])


def test_the_proposing_server_alone_seals_with_the_key(guarded: Guarded, address: str) -> None:
    key = seal_key(guarded, address, conditions=False)
    guarded.become(Role.PROPOSING_SERVER)
    signer = open_kms_signer(connect_kms(region=REGION, endpoint_url=address), key)
    assert recover_address(bytes(32), signer.sign_digest(bytes(32))) == signer.address
    for role in (Role.AGENT, Role.MARKET_SERVER, Role.EXECUTOR):
        guarded.become(role)
        with pytest.raises(Fault) as caught:
            open_kms_signer(connect_kms(region=REGION, endpoint_url=address), key)
        assert caught.value.code is ErrorCode.KEY_MISSING
        assert "may not use it" in caught.value.message


@pytest.mark.parametrize("role", Role)
def test_no_role_signs_anything_but_digests_or_passes_the_key_on(
    guarded: Guarded, role: Role, address: str
) -> None:
    from botocore.exceptions import ClientError

    key = seal_key(guarded, address)
    guarded.become(role)
    kms = _client("kms", address)
    for act in (
        lambda: kms.sign(KeyId=key, Message=bytes(32), MessageType="RAW", SigningAlgorithm=ALGORITHM),
        lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy="{}"),
        lambda: kms.create_grant(KeyId=key, GranteePrincipal=STRANGER, Operations=["Sign"]),
        lambda: kms.schedule_key_deletion(KeyId=key),
        lambda: kms.disable_key(KeyId=key),
    ):
        with pytest.raises(ClientError) as caught:
            act()
        assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_queue_under_its_policy_takes_nothing_in_the_open(guarded: Guarded) -> None:
    sqs, url = connect_sqs(guarded.settings), guarded.settings.url
    policy = guard_policy(Resource.ORDER_QUEUE, guarded.principals)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    guarded.become(Role.PROPOSING_SERVER)  # which may send, and reaches this server without TLS
    for act in sending_acts(guarded, url=url):
        assert_denied(act)


def test_a_queue_s_policy_holds_whatever_a_role_is_allowed(guarded: Guarded) -> None:
    policy = guard_policy(Resource.ORDER_QUEUE, guarded.principals)
    policy["Statement"] = [part for part in policy["Statement"] if part["Sid"] != "NothingTravelsInTheOpen"]
    sqs, url = connect_sqs(guarded.settings), guarded.settings.url
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    # This server's root, whom no role's document limits.
    for act in (*sending_acts(guarded, url=url)[:1], *receiving_acts(guarded, url=url)[:1]):
        assert_denied(act)
    guarded.become(Role.PROPOSING_SERVER)
    assert SqsSender(url, connect_sqs(guarded.settings)).send(message())
    guarded.become(Role.EXECUTOR)
    receiver = SqsReceiver(url, connect_sqs(guarded.settings), visibility_s=30)
    assert len(receiver.receive(max_messages=1, wait_s=0.0)) == 1


def test_credentials_that_are_made_up_open_nothing(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(monkeypatch, {"AccessKeyId": "AKIAMADEUP", "SecretAccessKey": "made up"})
    assert_denied(lambda: open_sender(guarded.settings, NOTHING_HERE))


def test_a_stolen_name_without_its_secret_opens_nothing(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded.become(Role.EXECUTOR)
    stolen = {
        "AccessKeyId": os.environ["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": "guessed",
        "SessionToken": os.environ["AWS_SESSION_TOKEN"],
    }
    _use(monkeypatch, stolen)
    assert_denied(lambda: open_receiving(guarded.settings, NOTHING_HERE))
