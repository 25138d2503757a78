"""A key that is misspelled is told its right form, at any depth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.data.manifest import read_user_manifest
from harness.errors import ConfigurationError
from harness.scenario.specs import load_scenario
from models.training.config import load_config

SCENARIO: dict[str, Any] = {
    "engines": [{"engine": "bruteforce"}],
    "tasks": [{"task": "index"}, {"task": "search", "name": "closed"}],
}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"filter": []}, "filter is not a known key, did you mean 'filters'?"),
        ({"engines": [{"engine": "x", "serch": {}}]}, "engines[0].serch is not a known key, did you mean 'search'?"),
        (
            {"tasks": [{"task": "index"}, {"task": "search", "name": "s", "durations": 1}]},
            "tasks[1].durations is not a known key, did you mean 'duration_s'?",
        ),
        # upserts is a key, but of another task
        (
            {"tasks": [{"task": "index", "upserts": 1}]},
            "tasks[0].upserts is not a known key, remove it or correct its spelling",
        ),
        ({"decision": {"objectiv": "x"}}, "decision.objectiv is not a known key, did you mean 'objective'?"),
        ({"limits": {"colour": 1}}, "limits.colour is not a known key, remove it or correct its spelling"),
        (
            {"decision": {"requirements": ["recal >= 0.9"]}},
            "decision.requirements 'recal >= 0.9': there is no metric recal, did you mean 'recall'?",
        ),
        (
            {"decision": {"requirements": ["violation == 0"]}},
            "there is no metric violation, did you mean 'violations'?",
        ),
    ],
)  # fmt: skip
def test_scenarios(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(SCENARIO))
    load_scenario(path)
    path.write_text(yaml.safe_dump(SCENARIO | changes))
    with pytest.raises(ConfigurationError) as caught:
        load_scenario(path)
    assert told in str(caught.value)


def test_other_files(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("metrc: cosine\nmodel: {name: a, verison: 1}\n")
    with pytest.raises(ConfigurationError) as caught:
        read_user_manifest(path)
    assert "metrc is not a known key, did you mean 'metric'?" in str(caught.value)
    assert "model.verison is not a known key, did you mean 'version'?" in str(caught.value)
    path.write_text("data: {kind: marketplace}\ntowers: {dims: 32}\n")
    with pytest.raises(ConfigurationError, match=r"towers\.dims is not a known key, did you mean 'dim'\?"):
        load_config(path)
