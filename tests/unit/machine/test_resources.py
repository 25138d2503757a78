"""CPU and memory of this process tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.machine.environment import describe_environment
from harness.machine.resources import PeakMemory, cpu_s, release, rss_bytes

MIB = 2**20


def test_the_peak_is_seen_after_the_memory_is_gone() -> None:
    peak = PeakMemory()
    peak.start()
    level = rss_bytes()
    block = np.ones(64 * MIB, dtype=np.uint8)
    del block
    reached = peak.bytes()
    if reached is None:
        pytest.skip("no /proc here")
    assert reached - level > 56 * MIB
    peak.start()
    later = peak.bytes()
    assert later is not None
    assert later < reached - 56 * MIB


def test_cpu_seconds_grow_with_work_and_count_children() -> None:
    before = cpu_s()
    while cpu_s() - before < 0.05:
        sum(range(10_000))
    middle = cpu_s()
    subprocess.run([sys.executable, "-c", "sum(i for i in range(3_000_000))"], check=True)
    assert cpu_s() - middle > 0.02


def test_released_pages_of_a_mapped_file_are_not_resident_and_still_readable(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones(32 * MIB, dtype=np.uint8))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert mapped.sum() == 32 * MIB
    resident = rss_bytes()
    release(mapped[5:])
    if not Path("/proc").exists():
        pytest.skip("no /proc here")
    assert resident - rss_bytes() > 24 * MIB
    assert mapped.sum() == 32 * MIB


def test_arrays_in_memory_are_left_alone() -> None:
    array = np.arange(10)
    release(array)
    assert array.tolist() == list(range(10))


def test_the_environment_names_what_figures_depend_on() -> None:
    facts = describe_environment()
    assert facts["cores"] >= 1
    assert facts["cpu"]
    assert facts["fingerprint"] == describe_environment()["fingerprint"]
    assert "numpy" in facts["packages"]
