"""Every tool's schema as a model sees it, one reviewed JSON file each.

Update after a wanted change with `python -m tests.tool_schemas.catalogue`.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from home.clock import ReplayClock
from home.paths import Home
from tests.tool_servers.bench import NOW, Bench
from tests.tool_servers.calling import tools_of
from tool_servers.chain.main import build as build_chain
from tool_servers.market.main import build as build_market
from tool_servers.orders.main import build as build_orders

FOLDER = Path(__file__).parent
CHARACTERS_PER_TOKEN = 4


def current_schemas() -> dict[str, dict[str, Any]]:
    """Return `server.tool` to what `tools/list` says of it."""
    with tempfile.TemporaryDirectory() as root:
        home = Home(Path(root))
        ReplayClock(home.clock).move_to(NOW)
        servers = [build_market(home), build_orders(Bench().desk()), build_chain(home)]
        return {
            f"{server.name}.{tool.name}": tool.model_dump(mode="json", by_alias=True, exclude_none=True)
            for server in servers
            for tool in tools_of(server)
        }


def recorded_schemas() -> dict[str, dict[str, Any]]:
    """Return the reviewed snapshots by name."""
    return {path.stem: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}


def tokens_of(schemas: dict[str, dict[str, Any]]) -> int:
    """Return about how many tokens the schemas cost a model: four characters each."""
    texts = (json.dumps(schema, separators=(",", ":"), ensure_ascii=False) for schema in schemas.values())
    return sum(len(text) for text in texts) // CHARACTERS_PER_TOKEN


def update() -> None:
    """Write the present schemas and remove those of tools that are gone."""
    schemas = current_schemas()
    for path in FOLDER.glob("*.json"):
        if path.stem not in schemas:
            path.unlink()
    for name, schema in schemas.items():
        text = json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    update()
