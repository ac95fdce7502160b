"""Where threads live between processes: one SQLite file of a home, read strictly.

A checkpoint may revive messages and nothing else: no type of ours, no type of a stranger.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

_OWNER_ONLY: Final = 0o600


@asynccontextmanager
async def open_threads(path: Path) -> AsyncIterator[AsyncSqliteSaver]:
    """Open the checkpoints at `path`, readable by their owner only.

    Raises:
        Fault: `storage_failed` when the file cannot be opened.
    """
    import sqlite3

    import aiosqlite
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, _OWNER_ONLY))
        connection = await aiosqlite.connect(path)
    except (OSError, sqlite3.Error) as error:
        raise Fault(
            ErrorCode.STORAGE_FAILED,
            "the agent's threads cannot be opened",
            fix="check the permissions of --home",
        ) from error
    try:
        yield AsyncSqliteSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
    finally:
        await connection.close()
