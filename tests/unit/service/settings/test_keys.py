"""API keys."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.errors import ConfigurationError
from service.settings.keys import new_key, read_keys


def test_a_new_key_is_found_by_its_text_and_by_no_other(tmp_path: Path) -> None:
    texts, entries = zip(*(new_key(name, ["read", "write"]) for name in ("shop", "app")), strict=True)
    path = tmp_path / "keys.yaml"
    path.write_text("keys:\n" + "\n".join(entries))
    ring = read_keys(path)
    found = ring.find(texts[1])
    assert found is not None
    assert (found.name, found.scopes) == ("app", ("read", "write"))
    assert ring.find(texts[1][:-1]) is None
    assert ring.find("") is None
    assert ring.find("\udcff") is None
    assert not [text for text in texts if text in path.read_text()]


def test_every_problem_of_the_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    digest = "0" * 64
    keys = [
        {"name": "shop", "scopes": ["read"], "sha256": digest},
        {"name": "shop", "scopes": "read", "sha256": digest},
    ]
    path.write_text(yaml.safe_dump({"keys": keys}))
    with pytest.raises(ConfigurationError) as raised:
        read_keys(path)
    assert [line.split(" occurs")[0] for line in raised.value.problems] == [
        f"{path}: keys[1].name 'shop'",
        f"{path}: keys[1].sha256 '{digest}'",
    ]
    path.write_text(yaml.safe_dump({"keys": [{"name": "a", "scopes": ["all"], "sha256": "1"}, {}]}))
    with pytest.raises(ConfigurationError) as raised:
        read_keys(path)
    assert len(raised.value.problems) == 5


def test_a_name_or_scope_that_cannot_be() -> None:
    with pytest.raises(ConfigurationError, match="key: name"):
        new_key("no spaces", ["read"])
    with pytest.raises(ConfigurationError, match=r"key: scopes\[0\]"):
        new_key("shop", ["all"])
