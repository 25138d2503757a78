"""The folder that docs/datasets.md makes is a dataset, and is described as the page says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from harness.data.catalogue import load_dataset
from harness.data.describe import describe

PAGE = (Path(__file__).parents[3] / "docs" / "datasets.md").read_text(encoding="utf-8")


def blocks() -> tuple[str, str]:
    """The program, and what it says `bakeoff data describe` prints."""
    section = PAGE.partition("### A catalogue as a folder")[2].partition("\n### ")[0]
    (program,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
    return program, printed


def test_the_documented_folder_is_described_as_documented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program, printed = blocks()
    rng = np.random.default_rng(0)
    exec(program, {"embed": lambda texts: rng.standard_normal((len(texts), 8))})
    dataset = load_dataset("my-shop", cache=tmp_path / "cache")
    assert printed.strip() in describe(dataset)
    assert dataset.ids is not None
    assert list(dataset.ids) == ["c-1", "d-7", "b-3", "c-2"]
