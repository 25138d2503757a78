"""Parametrises the suite over the registry, and marks the known gaps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.registry import MissingClientError, load
from tests.conformance.subjects import GAPS, Subject, subjects
from tests.servers.launch import Servers, UnavailableError


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "once_per_engine: what does not depend on the kind of index")
    config.addinivalue_line("markers", "ability(name): only for engines whose Capabilities declare it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    fixture = next((name for name in ("subject", "shared_subject") if name in metafunc.fixturenames), None)
    if fixture is None:
        return
    test, params, seen = metafunc.function.__name__, [], set()
    for name, variant in subjects():
        if name in seen and metafunc.definition.get_closest_marker("once_per_engine"):
            continue
        seen.add(name)
        if any(not _has(name, mark.args[0]) for mark in metafunc.definition.iter_markers("ability")):
            continue
        gaps = [GAPS[test, key] for key in (name, variant.label) if (test, key) in GAPS]
        marks = [pytest.mark.xfail(reason=reason, strict=True) for reason in gaps]
        params.append(pytest.param((name, variant), id=variant.label, marks=marks))
    metafunc.parametrize(fixture, params, indirect=True)


def _has(name: str, ability: str) -> bool:
    """Whether an engine declares an ability. One whose client is missing may have it, and is skipped later."""
    try:
        return bool(getattr(load(name).capabilities, ability))
    except MissingClientError:
        return True


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Real servers, each started when the first test needs it."""
    started = Servers()
    yield started
    started.close()


def _subject(request: pytest.FixtureRequest, path: Path, servers: Servers) -> Iterator[Subject]:
    name, variant = request.param
    try:
        if load(name).capabilities.server:
            servers.require(name)
    except (MissingClientError, UnavailableError) as error:
        if name in request.config.getoption("--require-engine"):
            pytest.fail(f"--require-engine {name}: {error}")
        pytest.skip(str(error))
    subject = Subject(name, variant, path)
    yield subject
    subject.drop()


@pytest.fixture
def subject(request: pytest.FixtureRequest, tmp_path: Path, servers: Servers) -> Iterator[Subject]:
    """An engine for one test."""
    yield from _subject(request, tmp_path, servers)


@pytest.fixture(scope="module")
def shared_subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, servers: Servers
) -> Iterator[Subject]:
    """An engine for the tests of a module, which only read."""
    yield from _subject(request, tmp_path_factory.mktemp("shared"), servers)
