"""What is being done, on standard error, and only when a person watches a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def shown_progress(subject: str) -> Iterator[Callable[[str], None]]:
    """Give a function that shows a step in words; it does nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from cli.output import console

    with console(is_error=True).status(subject) as status:
        yield lambda step: status.update(f"{subject}: {step} …")
