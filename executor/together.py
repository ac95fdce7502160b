"""Does several things side by side, a few at a time, and tells of a failure once all have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

Result = TypeVar("Result")


async def together(works: Iterable[Coroutine[Any, Any, Result]], *, at_once: int) -> list[Result]:
    """Return what every work returns, in their order; one that fails or hangs keeps no other from going on.

    Raises:
        BaseException: what the first of them that failed raised, after the last has ended.
    """
    limit = asyncio.Semaphore(at_once)

    async def one(work: Coroutine[Any, Any, Result]) -> Result:
        async with limit:
            return await work

    results = await asyncio.gather(*map(one, works), return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    for failure in sorted(failures, key=lambda error: isinstance(error, Exception)):
        raise failure
    return [result for result in results if not isinstance(result, BaseException)]
