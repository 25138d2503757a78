"""Options of the whole test suite."""

from __future__ import annotations

import os
import tempfile

import pytest

from engines.registry import ENGINES
from tests.skips import summed


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-engine",
        action="append",
        default=[],
        choices=sorted(ENGINES),
        help="fail instead of skipping when this engine cannot run here (may be repeated)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """What JAX compiles is compiled once a session, by the process that needs it first: most of what a small training
    costs. JAX reads its environment when it is imported, hence before tests are collected.
    """
    folder = tempfile.TemporaryDirectory(prefix="bakeoff-compiled-")
    config.add_cleanup(folder.cleanup)
    os.environ |= {
        "JAX_COMPILATION_CACHE_DIR": folder.name,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])]
    if reasons:
        terminalreporter.section(f"{len(reasons)} skipped, by cause")
        for line in summed(reasons):
            terminalreporter.line(line)
