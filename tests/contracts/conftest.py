"""The queues that the contract suite runs on: the fake, the embedded one, and SQS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from home.settings import QueueKind, QueueSettings
from ledger.sqs_client import connect_sqs
from tests.contracts.sqs_server import sqs_server


@pytest.fixture(scope="session")
def sqs_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueueSettings]:
    """Settings that reach a real server; credentials are any, the server asks for none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        with sqs_server(tmp_path_factory.mktemp("sqs")) as url:
            yield QueueSettings(kind=QueueKind.SQS, endpoint_url=url)


@pytest.fixture(scope="session")
def sqs_client(sqs_settings: QueueSettings) -> object:
    return connect_sqs(sqs_settings)
