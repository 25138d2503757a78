"""Which changes a configuration is trained again with, and what is told of those that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from models.training.ablations import EVERY_CHOICE, changed, read_ablations
from models.training.config import find_config, load_config

CONFIG = load_config(find_config("marketplace"))


def written(folder: Path, text: str) -> Path:
    path = folder / "plan.yaml"
    path.write_text(text)
    return path


def test_what_ships_changes_one_thing_each_of_every_shipped_configuration() -> None:
    plan = read_ablations(EVERY_CHOICE)
    for name in ("hm", "marketplace"):
        config = load_config(find_config(name))
        made = changed(config, plan)
        assert list(made) == list(plan)
        for row, each in made.items():
            same = {
                part for part in type(config).model_fields if getattr(each, part) == getattr(config, part)
            }
            # A configuration may already be what a row makes of it.
            assert set(type(config).model_fields) - same <= {key.split(".")[0] for key in plan[row]}
    assert changed(CONFIG, {"wide": {"towers.dim": 48}})["wide"].towers.dim == 48


def test_only_those_named_are_trained() -> None:
    assert list(read_ablations(EVERY_CHOICE, ["dim-64", "no-ids"])) == ["dim-64", "no-ids"]
    with pytest.raises(
        ConfigurationError, match=r"has no 'dim-63' \(did you mean 'dim-64'\? it has: other-seed, dim-32"
    ):
        read_ablations(EVERY_CHOICE, ["dim-63"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("as-is: {towers.dim: 8}", "'as-is' is what the configuration without a change is called; rename it"),
        ("small: {}", "small must have at least 1 item"),
        ("- small", "must hold keys such as names of changes, got list"),
        ("two words: {towers.dim: 8}", "two words"),
    ],
)
def test_a_plan_that_is_none_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        read_ablations(written(tmp_path, text))


def test_every_change_that_cannot_be_made_is_named() -> None:
    plan = {
        "other-data": {"data.kind": "hm"},
        "whole": {"towers": {"dim": 8}},
        "none": {"towers.dim": 0},
        "misspelt": {"towers.dims": 8},
        "right": {"towers.dim": 8},
    }
    with pytest.raises(ConfigurationError) as raised:
        changed(CONFIG, plan)
    lines = str(raised.value).splitlines()
    assert lines == [
        "other-data: data.kind cannot be changed; name a key of features, towers, training, such as towers.dim",
        "whole: towers cannot be changed; name a key of features, towers, training, such as towers.dim",
        "none: towers.dim must be greater than or equal to 2, got 0",
        "misspelt: towers.dims is not a known key, did you mean 'dim'?",
    ]
