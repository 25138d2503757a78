"""Processes that share the work of a simulation."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from harness.children.kernel import die_with


def workers() -> ProcessPoolExecutor:
    """Two processes, which end with this one however it ends: a pool's own stay where a signal ends its parent."""
    return ProcessPoolExecutor(2, get_context("spawn"), initializer=die_with, initargs=(os.getpid(),))
