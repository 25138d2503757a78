"""The suite itself: gaps have reasons, and engines that cannot run are never passed over in silence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engines.abilities import FullText, Pipelined, Remote
from engines.registry import ENGINES, MissingClientError, load
from tests.conformance.subjects import GAPS, VARIANTS, subjects

CASE = "tests/conformance/test_search.py::test_the_version_is_known_without_opening_anything"


def test_gaps_name_a_reason_a_test_and_an_engine() -> None:
    sources = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    known = {name for name, _ in subjects()} | {variant.label for _, variant in subjects()}
    for (test, engine), reason in GAPS.items():
        assert reason.startswith(("ours to do: ", "upstream: ", "never: "))
        assert f"def {test}(" in sources
        assert engine in known


def test_variants_belong_to_registered_engines() -> None:
    assert set(VARIANTS) <= set(ENGINES)
    assert {name for name, _ in subjects()} == set(ENGINES)


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_what_is_declared_is_there_and_nothing_else(name: str) -> None:
    try:
        kind = load(name)
    except MissingClientError as error:
        pytest.skip(str(error))
    declared = kind.capabilities
    found = [issubclass(kind, ability) for ability in (Remote, Pipelined, FullText)]
    assert found == [declared.server, declared.pipelined, declared.text]


# Tests of tags and of missing values run only where an engine declares them. So an engine that does not is named here,
# with the reason: a declaration that gets lost would take the tests with it.
WITHOUT_TAGS: dict[str, str] = {}
WITHOUT_GAPS: dict[str, str] = {}


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_every_engine_is_tested_with_tags_and_missing_values(name: str) -> None:
    try:
        declared = load(name).capabilities
    except MissingClientError as error:
        pytest.skip(str(error))
    assert declared.tags == (name not in WITHOUT_TAGS)
    assert declared.missing == (name not in WITHOUT_GAPS)


def run_without_qdrant(*options: str) -> subprocess.CompletedProcess[str]:
    """Runs one case as if Qdrant's client were not installed."""
    script = (
        "import sys; sys.modules['qdrant_edge'] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, CASE, "-k", "qdrant-edge", "-p", "no:cacheprovider", *options]
    root = Path(__file__).parents[2]
    return subprocess.run(command, capture_output=True, text=True, cwd=root, check=False, timeout=120)


@pytest.mark.parametrize(
    ("options", "code", "outcome"),
    [((), 0, "1 skipped"), (("--require-engine", "qdrant-edge"), 1, "--require-engine qdrant-edge: ")],
)
def test_a_missing_client_skips_unless_required(options: tuple[str, ...], code: int, outcome: str) -> None:
    run = run_without_qdrant(*options)
    assert run.returncode == code, run.stdout
    assert outcome in run.stdout
    assert (
        "engine 'qdrant-edge' needs qdrant_edge. Install it with: pip install 'bakeoff[qdrant]'" in run.stdout
    )
