"""The summary in the terminal, from a result."""

from __future__ import annotations

from typing import Any

from harness.results.result import RunResult
from reports.decide.decision import conclude
from reports.decide.evidence import gather_evidence
from reports.page.summary import summary_table


def summary_of(result: RunResult, *width: int) -> Any:
    """What rich prints of a run."""
    evidence = gather_evidence(result)
    return summary_table(evidence, conclude(evidence), *width)
