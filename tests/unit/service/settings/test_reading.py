"""Settings of file, environment and command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from service.settings.model import Settings
from service.settings.reading import read_settings
from service.settings.told import told


def problems(path: Path | None, environ: dict[str, str], given: dict[str, object] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        read_settings(path, environ, given)
    return raised.value.problems


def written(folder: Path, text: str) -> Path:
    path = folder / "service.yaml"
    path.write_text(text)
    return path


def test_the_command_line_is_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "port: 1\ndeadline_ms: 50\nlimits: {k: 5, history: 7}\nretrieval: {rerank: {price: cost, freshness: 2}}\n",
    )
    environ = {
        "BAKEOFF_SERVICE_PORT": "2",
        "BAKEOFF_SERVICE_LIMITS__K": "6",
        "BAKEOFF_SERVICE_RETRIEVAL__RERANK__FRESHNESS": "3",
        "BAKEOFF_SERVICE_CATALOGUE__TEXTS": "[title, story]",
        "BAKEOFF_QDRANT_URL": "http://not-ours",
    }
    read = read_settings(path, environ, {"port": 3, "host": None})
    settings = read.settings
    assert (settings.port, settings.limits.k, settings.limits.history) == (3, 6, 7)
    assert (settings.retrieval.rerank.price, settings.retrieval.rerank.freshness) == ("cost", 3)
    assert settings.catalogue.texts == ("title", "story")
    assert (settings.deadline_ms, settings.host) == (50, "127.0.0.1")
    assert read.source("port") == "command line"
    assert read.source("limits.k") == "BAKEOFF_SERVICE_LIMITS__K"
    assert read.source("limits.history") == str(path)
    assert read.source("host") == "default"


def test_the_environment_may_name_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "port: 1234\n")
    assert read_settings(None, {"BAKEOFF_SERVICE_CONFIG": str(path)}).settings.port == 1234


def test_every_problem_of_every_source_is_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "prot: 1\nlimits: {k: 0}\n")
    environ = {
        "BAKEOFF_SERVICE_PORT": "70000",
        "BAKEOFF_SERVICE_PROT": "1",
        "BAKEOFF_SERVICE_INDEX": "{m: ",
        "BAKEOFF_SERVICE_KEY": "not a setting of a service",
    }
    found = problems(path, environ, {"deadline_ms": -1.0})
    assert sorted(found) == sorted(
        [
            f"{path}: prot is not a known key, did you mean 'port'?",
            f"{path}: limits.k must be greater than 0, got 0",
            *[line for line in found if line.startswith("BAKEOFF_SERVICE_INDEX: ")],
            "BAKEOFF_SERVICE_PORT: port must be less than or equal to 65535, got '70000'",
            "BAKEOFF_SERVICE_PROT: sets nothing; did you mean 'BAKEOFF_SERVICE_PORT'?",
            "command line: deadline_ms must be greater than 0, got -1.0",
        ]
    )
    assert len(found) == 6


def test_more_may_not_be_asked_for_than_is_looked_at() -> None:
    found = problems(None, {"BAKEOFF_SERVICE_LIMITS__K": "3000"})
    assert found[0].startswith("limits.k: 3,000 is more than retrieval.most, 2,000")
    wide = {"BAKEOFF_SERVICE_LIMITS__K": "3000", "BAKEOFF_SERVICE_RETRIEVAL__MOST": "3000"}
    assert read_settings(None, wide).settings.limits.k == 3000


def test_secrets_are_masked() -> None:
    environ = {
        "BAKEOFF_SERVICE_STORE": "postgresql://shop:sesame@db:5432/shop",
        "BAKEOFF_SERVICE_INDEX": "{api_key: sesame, m: 16}",
    }
    lines = told(read_settings(None, environ))
    assert "store: postgresql://***@db:5432/shop (BAKEOFF_SERVICE_STORE)" in lines
    assert "index: {api_key: ***, m: 16} (BAKEOFF_SERVICE_INDEX)" in lines
    assert "port: 8080 (default)" in lines
    assert not [line for line in lines if "sesame" in line]


def test_fields_are_told_by_kind_and_wrong_ones_by_key(tmp_path: Path) -> None:
    path = written(tmp_path, "catalogue: {fields: {a: tags, b: {kind: float, optional: true}}}\n")
    lines = told(read_settings(path, {}))
    assert f"catalogue.fields: {{a: tags, b: float, optional}} ({path})" in lines
    path = written(
        tmp_path, "catalogue: {fields: {a: tag, b: {kind: float, optinal: true}, c: [tags], d: {}}}\n"
    )
    found = problems(path, {})
    assert [line.removeprefix(f"{path}: catalogue.fields.").split()[0] for line in found] == [
        "a", "b.optinal", "c", "d.kind"
    ]  # fmt: skip
    assert "'tags'" in found[0]


def test_the_file_in_the_documentation_is_one(tmp_path: Path) -> None:
    documented = (Path(__file__).parents[4] / "docs" / "service.md").read_text()
    text = documented.split("```yaml\n")[1].split("```")[0]
    read = read_settings(written(tmp_path, text), {})
    assert read.settings.limits == Settings().limits
    assert read.settings.catalogue.listed_at is None
