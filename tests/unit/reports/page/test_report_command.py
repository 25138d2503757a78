"""`bakeoff report` reads a result and gathers its evidence once, for the page and for the terminal."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import harness.results.result
import reports.decide.evidence
import reports.page.html
from harness.cli.results import report
from harness.results.writing import write_result
from tests.unit.example_results import ENGINES, build


def test_the_command_reads_and_weighs_a_result_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_result(tmp_path, build(engines={"qdrant": ENGINES["qdrant"]}, trials=2, arrivals=False))
    calls: Counter[str] = Counter()

    def count(module: Any, name: str) -> None:
        original = getattr(module, name)

        def counted(*arguments: Any) -> Any:
            calls[name] += 1
            return original(*arguments)

        monkeypatch.setattr(module, name, counted)

    for own in (harness.results.result, reports.page.html):
        count(own, "read_result")
    for own in (reports.decide.evidence, reports.page.html):
        count(own, "gather_evidence")
    assert report(Namespace(run=str(tmp_path))) == 0
    assert calls == {"read_result": 1, "gather_evidence": 1}
    shown = capsys.readouterr().out
    assert str(tmp_path / "report.html") in shown
    assert "Only candidate: qdrant" in shown
