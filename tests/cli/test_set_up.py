"""Set-up in two parts: commands that need more than what running installs say what brings it."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from harness.cli.arguments import parse
from harness.cli.models import train
from harness.cli.service import soak
from harness.errors import ConfigurationError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("module", "missing", "extra"),
    [(train, "optax", "models"), (soak, "locust", "load")],
    ids=["train", "soak"],
)
def test_what_is_missing_is_told_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, missing: str, extra: str
) -> None:
    name = module.__name__.rpartition(".")[2]
    options = parse([name, "marketplace"] if name == "train" else [name])
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == missing else find_spec(name))
    remedy = rf"needs '?{missing}'?\. Install it with: make install, or pip install 'bakeoff\[{extra}\]'$"
    with pytest.raises(ConfigurationError, match=remedy):
        getattr(module, name)(options)


def test_targets_install_what_they_need_and_no_more() -> None:
    rules = dict(re.findall(r"^([a-z]+): \$\((\w+)\)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {name for name, stamp in rules.items() if stamp == "RUNNING"} == {"bench", "serve", "report"}
    assert {"install", "test", "lint", "perf", "simulate", "soak", "ablations"} == {
        name for name, stamp in rules.items() if stamp == "STAMP"
    }
