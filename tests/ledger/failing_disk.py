"""Makes this process's disk fail for good: every sync answers with an input/output error.

The kernel itself refuses the calls (a seccomp filter, which needs no privilege), so what is
tested is what SQLite and this program make of a real failure.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from typing import Final

_SYNCS: Final = {"x86_64": (0xC000003E, (74, 75)), "aarch64": (0xC00000B7, (82, 83))}
"""Audit number of the machine, and its numbers of fsync and fdatasync."""
_LOAD, _EQUALS, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def can_fail() -> bool:
    """Return whether this machine's calls are known here."""
    return platform.system() == "Linux" and platform.machine() in _SYNCS


def fail_every_sync() -> None:
    """Let every sync of this process fail from now on, in threads and children too.

    Raises:
        OSError: the kernel takes no filters.
    """
    audit, (fsync, fdatasync) = _SYNCS[platform.machine()]
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUALS, 0, 3, audit),
        (_LOAD, 0, 0, 0),
        (_EQUALS, 2, 0, fsync),
        (_EQUALS, 1, 0, fdatasync),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.EIO),
    ]
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    program = _Program(len(steps), code)
    library = ctypes.CDLL(None, use_errno=True)
    for call in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)):
        if library.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), "the kernel takes no filter")
