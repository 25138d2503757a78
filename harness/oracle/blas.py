"""One BLAS thread at a time, for work that is spread over threads already."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_PREFIXES, _SUFFIXES = ("scipy_openblas", "openblas"), ("64_", "")


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Within, NumPy's matrix products stay in the thread that asks for them.

    OpenBLAS has one pool for the whole process: products asked for by several threads wait for each other, and
    its idle threads spin for tens of milliseconds, taking the cores from whoever has work to do. Applies to the
    process; another BLAS than OpenBLAS is left as it is, which costs speed only.
    """
    get, put = _function("get"), _function("set")
    if get is None or put is None:
        yield
        return
    before = get()
    put(1)
    try:
        yield
    finally:
        put(before)


def _function(verb: str) -> ctypes._NamedFuncPointer | None:
    # The extension module is linked against the library, so its symbols are found through it.
    library = ctypes.CDLL(np.linalg._umath_linalg.__file__)
    for prefix in _PREFIXES:
        for suffix in _SUFFIXES:
            name = f"{prefix}_{verb}_num_threads{suffix}"
            if hasattr(library, name):
                return getattr(library, name)  # type: ignore[no-any-return]
    return None
