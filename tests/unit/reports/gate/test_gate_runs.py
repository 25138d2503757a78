"""Which runs the gate refuses to compare, and what it says of versions."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.errors import ConfigurationError
from harness.results.result import RunResult
from reports.gate.compare import compare
from reports.gate.fingerprint import FORCEABLE
from tests.unit.example_results import ENGINES, build

TWO = {name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}
CONTAINER = {"run": "container", "image": "qdrant/qdrant:v1.17.0", "cpus": 2.0, "memory_mib": 4096}


def changed(part: str, key: str, value: Any, seed: int = 8) -> RunResult:
    run = build(seed=seed, engines=TWO)
    return run.model_copy(update={part: getattr(run, part) | {key: value}})


def served(facts: dict[str, Any] | None, limits: dict[str, Any] | None = None, seed: int = 8) -> RunResult:
    """A run whose Qdrant has this server."""
    run = build(seed=seed, engines=TWO)
    engine = run.engines["qdrant"] | ({"server": facts} if facts else {})
    update: dict[str, Any] = {"engines": run.engines | {"qdrant": engine}}
    if limits:
        update["scenario"] = run.scenario | {"limits": limits}
    return run.model_copy(update=update)


def refuses(baseline: RunResult, current: RunResult, what: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(text)) as refused:
        compare([baseline], current)
    assert refused.value.exit_code == 104
    assert f"--force {what}" in str(refused.value)
    for force in (True, (what,)):
        assert compare([baseline], current, force=force).forced == (f"{what}: {text}",)
    other = next(name for name in FORCEABLE if name != what)
    with pytest.raises(ConfigurationError):
        compare([baseline], current, force=(other,))


@pytest.mark.parametrize(
    ("what", "part", "key", "value", "text"),
    [
        ("scenario", "scenario", "k", 100, "k differs"),
        ("scenario", "scenario", "tasks", [], "tasks differs"),
        ("dataset", "dataset", "fingerprint", "other", "feedbeeffeedbeef became other"),
        ("hardware", "environment", "fingerprint", "other", "00c0ffee00c0ffee became other"),
    ],
)
def test_refuses_other_work_data_or_hardware(what: str, part: str, key: str, value: Any, text: str) -> None:
    refuses(build(engines=TWO), changed(part, key, value), what, text)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (CONTAINER, CONTAINER | {"cpus": 4.0}, "qdrant: cpus 2 became 4"),
        (CONTAINER, CONTAINER | {"memory_mib": 8192}, "qdrant: memory_mib 4096 became 8192"),
        (CONTAINER, CONTAINER | {"image": "mirror/other:v1.17.0"}, "image qdrant/qdrant became mirror/other"),
        (
            {"run": "url", "url": "http://a:1"},
            {"run": "url", "url": "http://b:1"},
            "url http://a:1 became http://b:1",
        ),
        ({"run": "url", "url": "http://a:1"}, {"run": "process"}, "run url became process"),
        (None, {"run": "process"}, "qdrant: run none became process"),
    ],
)
def test_refuses_another_server(before: dict[str, Any] | None, after: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(text)) as refused:
        compare([served(before, seed=7)], served(after))
    assert "--force server" in str(refused.value)
    assert compare([served(before, seed=7)], served(after), force=("server",)).forced


def test_refuses_other_limits_where_they_hold() -> None:
    limits = [{"cpus": 2.0, "memory_mib": 4096}, {"cpus": 4.0, "memory_mib": 4096}]
    process = {"run": "process"}
    refuses(served(process, limits[0], 7), served(process, limits[1]), "server", "limits: cpus 2 became 4")
    # No engine runs within them.
    assert not compare([served(None, limits[0], 7)], served(None, limits[1])).forced


def test_versions_may_differ_and_are_named() -> None:
    newer = served(CONTAINER | {"image": "qdrant/qdrant:v1.19.0"})
    newer = newer.model_copy(
        update={
            "engines": newer.engines | {"qdrant": newer.engines["qdrant"] | {"version": "1.19.0"}},
            "environment": newer.environment
            | {"packages": {"bakeoff": "0.2.0", "scipy": "1.17"}, "python": "3.12.1"},
        }
    )
    report = compare([served(CONTAINER, seed=7)], newer)
    assert not report.forced
    assert set(report.notes) == {
        "qdrant: version 1.2.3 became 1.19.0",
        "qdrant: image qdrant/qdrant:v1.17.0 became qdrant/qdrant:v1.19.0",
        "python 3.11.2 became 3.12.1",
        "bakeoff 0.1.0 became 0.2.0",
        "numpy 2.4.0 became none",
        "scipy none became 1.17",
    }


def test_refuses_vectors_of_another_model() -> None:
    run = build(engines=TWO)
    models = [{"name": "tower", "version": digit, "hash": digit * 64} for digit in "12"]
    one, other = (
        run.model_copy(update={"dataset": run.dataset | {"fingerprint": model["version"], "model": model}})
        for model in models
    )
    refuses(one, other, "dataset", "model tower@1#111111111111 became tower@2#222222222222")
    refuses(run, one, "dataset", "model no named model became tower@1#111111111111")
    assert not compare([one], one).forced


def test_every_difference_to_every_baseline_is_reported_at_once() -> None:
    current = build(seed=8, engines=TWO)
    environment = current.environment | {"fingerprint": "x", "cpu": "Another CPU"}
    changes = {"environment": environment, "dataset": current.dataset | {"fingerprint": "y", "name": "mine"}}
    with pytest.raises(ConfigurationError) as refused:
        compare([build(engines=TWO), build(seed=9, engines=TWO)], current.model_copy(update=changes))
    assert len(refused.value.problems) == 4
    assert "AMD EPYC 7B13 became Another CPU" in str(refused.value)


def test_trials_engines_and_rules_may_differ() -> None:
    current = build(
        seed=8, engines=TWO | {"milvus": ENGINES["milvus"]}, trials=4, requirements=("recall >= 0.9",)
    )
    odd = current.model_copy(update={"engines": current.engines | {"qdrant": None}})
    assert not compare([build(engines=TWO)], odd).forced
