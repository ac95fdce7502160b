"""Compilation of numeric kernels to machine code, kept on disk between processes.

Core. Kernels are plain functions over floats and arrays; compiled, they give bitwise what
Python would give: no fast-math, no reordering. Keep a kernel and everything it calls in one
module, because the cache on disk only notices changes of the module itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def compiled(kernel: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return `kernel` as machine code; division by zero gives inf or NaN as in numpy.

    Compiled on the first call, then read from the cache. Where no cache can be written (a
    read-only installation without a home) each process compiles anew.
    """
    import numba

    try:
        machine_code = numba.njit(kernel, cache=True, error_model="numpy")
    except RuntimeError:
        machine_code = numba.njit(kernel, error_model="numpy")
    return cast("Callable[Parameters, Result]", machine_code)


def woven(part: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return `part` for use inside a kernel of the same module, which it becomes a part of.

    Give it numbers, not arrays: each array handed over costs two atomic counts a call.
    """
    import numba

    return cast("Callable[Parameters, Result]", numba.njit(part, error_model="numpy", forceinline=True))
