"""One PostgreSQL server for all tests of this folder, started when a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ledger.postgres_server import PostgresServer, server_for_all_tests


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with server_for_all_tests() as server:
        yield server
