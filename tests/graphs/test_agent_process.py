"""The agent's process: what it may reach, how it is wired, and how its threads are read back."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from agents.models import LanguageModel
from agents.toolbox import Toolbox
from graphs.recommend import Parts, build_graph
from graphs.run import open_graph
from graphs.services import running_services
from graphs.threads import open_threads
from home.paths import Home
from tests.graphs.threads_at_hand import Desk
from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.flow import AGENT_NODES
from when_to_invest.values import Mode

ROOT = Path(__file__).parents[2]
FORBIDDEN = {
    *("boto3", "botocore", "ccxt", "eth_account", "goat", "web3"),
    *("executor", "ledger", "policies", "signing", "tool_servers"),
}
A_WHOLE_RUN = """
import asyncio, json, sys
from pathlib import Path
from agents.models import choose_model
from home.settings import AgentSettings
from tests.graphs.threads_at_hand import Desk

asyncio.run(choose_model(AgentSettings(), {"ANTHROPIC_API_KEY": "k"}).close())
assert Desk(Path(sys.argv[1])).ask().standing == "clean"
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.slow
def test_a_whole_run_loads_nothing_that_could_sign_send_or_write(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", A_WHOLE_RUN, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stderr
    loaded = set(json.loads(ran.stdout.splitlines()[-1]))
    assert {"guardrails", "langchain_anthropic", "langgraph", "mcp"} <= loaded
    assert not loaded & FORBIDDEN


def test_the_nodes_are_the_stages_that_the_flow_names() -> None:
    graph = build_graph(Parts(Toolbox({}), LanguageModel("x"), most_steps=4), checkpointer=None)
    assert tuple(name for name in graph.nodes if not name.startswith("__")) == AGENT_NODES


def test_langgraphs_own_tools_find_a_graph_factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads((ROOT / "langgraph.json").read_text())
    path, _, name = told["graphs"]["recommend"].partition(":")
    module = path.removeprefix("./").removesuffix(".py").replace("/", ".")
    factory = getattr(__import__(module, fromlist=[name]), name)
    monkeypatch.setenv("WHEN_TO_INVEST_HOME", str(tmp_path))

    async def run() -> None:
        async with factory():
            pass

    with pytest.raises(Fault, match="not running"):
        asyncio.run(run())


def test_services_and_token_are_read_from_the_home(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.run.mkdir()
    listed = {name: {"url": f"http://127.0.0.1:1/{name}", "pid": 1} for name in ("market", "orders", "chain")}
    (home.run / "services.json").write_text(json.dumps({**listed, "executor": {"pid": 2}}))
    (home.run / "agent.token").write_text("tok\n")
    (home.run / "operator.token").write_text("not for the agent")
    found = running_services(home)
    assert {name: (remote.url, remote.token) for name, remote in found.items()} == {
        "market": ("http://127.0.0.1:1/market", "tok"),
        "orders": ("http://127.0.0.1:1/orders", "tok"),
    }


@pytest.mark.parametrize(
    "services", [None, "{", "[]", '{"market": {"url": "u"}}', '{"market": 1, "orders": 2}']
)
def test_services_that_are_not_up_are_a_fault(tmp_path: Path, services: str | None) -> None:
    home = Home(tmp_path)
    home.run.mkdir()
    (home.run / "agent.token").write_text("tok")
    if services is not None:
        (home.run / "services.json").write_text(services)
    with pytest.raises(Fault) as caught:
        running_services(home)
    assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE


def test_a_checkpoint_revives_no_type_of_ours_or_of_a_stranger(tmp_path: Path) -> None:
    smuggled = JsonPlusSerializer().dumps_typed({"x": Mode.LIVE})

    async def run() -> Any:
        async with open_threads(tmp_path / "threads.sqlite") as threads:
            return threads.serde.loads_typed(smuggled)

    assert not isinstance(asyncio.run(run())["x"], Mode)


def test_threads_that_cannot_be_opened_are_a_fault(tmp_path: Path) -> None:
    (tmp_path / "threads.sqlite").mkdir()

    async def run() -> None:
        async with open_graph(Home(tmp_path), Desk(tmp_path).surroundings):
            pass

    with pytest.raises(Fault) as caught:
        asyncio.run(run())
    assert caught.value.code is ErrorCode.STORAGE_FAILED


def test_the_answer_documents_every_field_a_script_reads() -> None:
    from graphs.answer import AgentAnswer

    assert set(get_type_hints(AgentAnswer)) >= {
        *("thread_id", "text", "recommendation", "orders", "standing", "findings", "evidence"),
        *("degraded", "model", "usage"),
    }
