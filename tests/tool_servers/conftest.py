"""Every way in which a tool is called, for the tests that take them all."""

from __future__ import annotations

import pytest

from tests.tool_servers.calling import MODES


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)
