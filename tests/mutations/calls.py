"""Notes which functions of some modules are called."""

from __future__ import annotations

import sys
import threading
from types import FrameType

from tests.mutations.targets import ROOT

Place = tuple[str, int]
"""A file of the repository and the first line of a function in it."""


class Calls:
    """While started, remembers the place of each function of `paths` that is called.

    With `by_modules`, only calls that modules outside `tests/` make while they are imported.
    """

    def __init__(self, paths: frozenset[str]) -> None:
        self._files = {str(ROOT / path): path for path in paths}
        self.seen: set[Place] = set()
        self._by_modules = False

    def start(self, *, by_modules: bool = False) -> None:
        self._by_modules = by_modules
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def stop(self) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (path := self._files.get(frame.f_code.co_filename)) is not None:
            if self._by_modules and not _is_import_of_a_source(frame):
                return
            self.seen.add((path, frame.f_code.co_firstlineno))


def _is_import_of_a_source(frame: FrameType | None) -> bool:
    """Return whether the module that is being imported belongs to the program, not to its tests."""
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return frame is not None and not frame.f_code.co_filename.startswith(str(ROOT / "tests"))
