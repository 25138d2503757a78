"""What a run ran on: processor, memory, operating system, versions."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

_PACKAGES = ("bakeoff", "numpy", "pandas", "pyarrow", "matplotlib", "pydantic")


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


def usable_cores() -> int:
    """Cores this process may run on (an affinity mask counts)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe_environment() -> dict[str, Any]:
    """Facts about the machine. `fingerprint` changes when figures stop being comparable."""
    memory_gib = round(psutil.virtual_memory().total / 2**30)
    hardware = (_cpu_model(), usable_cores(), memory_gib, platform.machine())
    return {
        "cpu": hardware[0],
        "cores": hardware[1],
        "memory_bytes": psutil.virtual_memory().total,
        "os": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
        "fingerprint": hashlib.sha256(repr(hardware).encode()).hexdigest()[:16],
    }
