"""Parametrises the suite over the registry, and marks the known gaps."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.registry import MissingClientError, load
from tests.conformance.subjects import GAPS, Subject, Variant, subjects


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "subject" in metafunc.fixturenames:
        test = metafunc.function.__name__
        params = []
        for name, variant in subjects():
            gaps = [GAPS[test, key] for key in (name, variant.label) if (test, key) in GAPS]
            marks = [pytest.mark.xfail(reason=reason, strict=True) for reason in gaps]
            params.append(pytest.param((name, variant), id=variant.label, marks=marks))
        metafunc.parametrize("subject", params, indirect=True)


@pytest.fixture
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    name, variant = request.param
    _need(name, request.config)
    return Subject(name, variant, tmp_path)


def _need(name: str, config: pytest.Config) -> None:
    try:
        load(name)
    except MissingClientError as error:
        if name in config.getoption("--require-engine"):
            pytest.fail(f"--require-engine {name}: {error}")
        pytest.skip(str(error))


__all__ = ["Subject", "Variant"]
