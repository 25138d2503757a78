"""Options of the whole test suite."""

from __future__ import annotations

import pytest

from engines.registry import ENGINES


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-engine",
        action="append",
        default=[],
        choices=sorted(ENGINES),
        help="fail instead of skipping when this engine cannot run here (may be repeated)",
    )
