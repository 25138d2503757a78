"""Dashboards and alerts of docker/service against the metrics there are, and against Prometheus' own checks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.telemetry.listed import METRICS

STACK = Path(__file__).parents[4] / "docker" / "service"
ALERTS = STACK / "prometheus" / "alerts.yaml"
DASHBOARDS = sorted((STACK / "grafana" / "dashboards").glob("*.json"))
RUNBOOK = STACK.parents[1] / "docs" / "runbook.md"
SUFFIXES = ("", "_bucket", "_sum", "_count")


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", ())


def expressions() -> dict[str, list[str]]:
    """By where they stand. What Grafana fills in is filled in."""
    found = {f"alert {rule['alert']}": [rule["expr"]] for rule in alerts()}
    for path in DASHBOARDS:
        for panel in panels(json.loads(path.read_text())):
            told = [target["expr"].replace("$__rate_interval", "5m") for target in panel.get("targets", ())]
            if told:
                found[f"{path.name}: {panel['title']}"] = told
    return found


def names(expression: str) -> set[str]:
    """The service's metrics in an expression."""
    return set(re.findall(r"\bbakeoff_\w+", expression))


def known() -> set[str]:
    return {
        metric.name + suffix
        for metric in METRICS
        for suffix in (SUFFIXES if metric.kind == "histogram" else ("",))
    }


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        reason = "promtool is not installed (Debian: apt-get install prometheus)"
        if os.environ.get("BAKEOFF_REQUIRE_PROMTOOL"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def test_every_metric_in_use_exists() -> None:
    for place, told in expressions().items():
        for expression in told:
            assert names(expression) <= known(), place


def test_every_metric_has_its_place_on_a_dashboard() -> None:
    shown = {
        name
        for place, told in expressions().items()
        if "alert" not in place
        for one in told
        for name in names(one)
    }
    assert not {metric.name for metric in METRICS} - {
        name.removesuffix(suffix) for name in shown for suffix in SUFFIXES
    }


def test_every_alert_has_its_place_in_the_runbook() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in RUNBOOK.read_text().splitlines()
        if line.startswith("#")
    }
    for rule in alerts():
        path, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert path == "docs/runbook.md"
        assert anchor in headings, rule["alert"]


def test_panels_have_titles_of_their_own_and_do_not_lie_on_each_other() -> None:
    for path in DASHBOARDS:
        board = json.loads(path.read_text())
        ids = [panel["id"] for panel in panels(board)]
        assert len(set(ids)) == len(ids)
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            cells = {
                (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
            }
            assert not cells & taken, panel["title"]
            assert at["x"] + at["w"] <= 24
            taken |= cells


def test_prometheus_takes_every_expression(promtool: str, tmp_path: Path) -> None:
    rules = [
        {"record": f"planted:{number}", "expr": expression}
        for number, expression in enumerate(one for told in expressions().values() for one in told)
    ]
    assert len(rules) > 30
    assert checked(promtool, tmp_path, rules).returncode == 0
    broken = [*rules, {"record": "planted:broken", "expr": "sum(rate(bakeoff_requests_total)"}]
    assert checked(promtool, tmp_path, broken).returncode != 0


def checked(promtool: str, folder: Path, rules: list[dict[str, str]]) -> subprocess.CompletedProcess[str]:
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    return subprocess.run(
        [promtool, "check", "rules", str(path)], capture_output=True, text=True, timeout=60, check=False
    )


def test_prometheus_takes_its_configuration(promtool: str) -> None:
    for command in (
        ("check", "rules", str(ALERTS)),
        ("check", "config", "--syntax-only", str(ALERTS.parent / "prometheus.yaml")),
    ):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr


# What each alert is there for, as series a minute apart; beside it the same without the fault.
CASES = {
    "ServiceDown": ({'up{job="service"}': "0x30"}, {'up{job="service"}': "1x30"}),
    "FailedRequests": (
        {'bakeoff_requests_total{code="200"}': "0+98x30", 'bakeoff_requests_total{code="500"}': "0+2x30"},
        {'bakeoff_requests_total{code="200"}': "0+98x30", 'bakeoff_requests_total{code="503"}': "0+2x30"},
    ),
    "SlowAnswers": (
        {
            'bakeoff_request_seconds_bucket{operation="recommend",le="0.25"}': "0+90x30",
            'bakeoff_request_seconds_bucket{operation="recommend",le="0.5"}': "0+100x30",
            'bakeoff_request_seconds_bucket{operation="recommend",le="+Inf"}': "0+100x30",
        },
        {
            'bakeoff_request_seconds_bucket{operation="recommend",le="0.25"}': "0+100x30",
            'bakeoff_request_seconds_bucket{operation="recommend",le="0.5"}': "0+100x30",
            'bakeoff_request_seconds_bucket{operation="recommend",le="+Inf"}': "0+100x30",
            'bakeoff_request_seconds_bucket{operation="rebuild",le="0.25"}': "0+0x30",
            'bakeoff_request_seconds_bucket{operation="rebuild",le="+Inf"}': "0+100x30",
        },
    ),
    "Overload": (
        {"bakeoff_requests_total": "0+100x30", "bakeoff_shed_total": "0+5x30"},
        {"bakeoff_requests_total": "0+100x30", "bakeoff_shed_total": "0+0x30"},
    ),
    "EngineLeftAlone": (
        {'bakeoff_breaker_open{index="live"}': "1x30"},
        {'bakeoff_breaker_open{index="live"}': "0x30"},
    ),
    "Fallbacks": (
        {'bakeoff_fallbacks_total{why="late"}': "0+5x30", "bakeoff_answers_total": "0+100x30"},
        {'bakeoff_fallbacks_total{why="unknown"}': "0+5x30", "bakeoff_answers_total": "0+100x30"},
    ),
    "EmptyAnswers": (
        {"bakeoff_empty_answers_total": "0+10x40", "bakeoff_answers_total": "0+100x40"},
        {"bakeoff_empty_answers_total": "0+1x40", "bakeoff_answers_total": "0+100x40"},
    ),
    "StaleIndex": ({"bakeoff_index_behind_seconds": "60x30"}, {"bakeoff_index_behind_seconds": "0.2x30"}),
    "ProjectionFails": (
        {"bakeoff_projection_failures_total": "0+1x30"},
        {"bakeoff_projection_failures_total": "7x30"},
    ),
    "CatalogueDown": ({"bakeoff_catalogue_up": "0x30"}, {"bakeoff_catalogue_up": "1x30"}),
    "IngestStopped": ({"bakeoff_ingest_up": "0x30"}, {"bakeoff_ingest_up": "1x30"}),
    "DeadLetters": (
        {'bakeoff_ingested_total{outcome="invalid"}': "0+1x30"},
        {
            'bakeoff_ingested_total{outcome="invalid"}': "9x30",
            'bakeoff_ingested_total{outcome="written"}': "0+9x30",
        },
    ),
    "LowRecall": (
        {
            "bakeoff_online_recall_found_total": "0+50x60",
            "bakeoff_online_recall_sought_total": "0+100x60",
        },
        {
            "bakeoff_online_recall_found_total": "0+98x60",
            "bakeoff_online_recall_sought_total": "0+100x60",
        },
    ),
    "Leftovers": ({"bakeoff_index_leftovers": "1x90"}, {"bakeoff_index_leftovers": "0x90"}),
    "EngineDown": ({'up{job="engine"}': "0x30"}, {'up{job="engine"}': "1x30"}),
}


def test_alerts_fire_for_their_fault_and_not_without_it(promtool: str, tmp_path: Path) -> None:
    """By Prometheus' own evaluation of the rules."""
    assert set(CASES) == {rule["alert"] for rule in alerts()}
    for name, both in CASES.items():
        fired = [_fires(promtool, tmp_path, name, series) for series in both]
        assert fired == [True, False], name


def _fires(promtool: str, folder: Path, name: str, series: dict[str, str]) -> bool:
    """Whether an alert fires at the end; promtool is asked whether it does not."""
    minutes = max(int(values.rpartition("x")[2]) for values in series.values())
    test = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": key, "values": values} for key, values in series.items()],
                "alert_rule_test": [{"eval_time": f"{minutes}m", "alertname": name, "exp_alerts": []}],
            }
        ],
    }
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump(test))
    done = subprocess.run(
        [promtool, "test", "rules", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0 or f"alertname: {name}" in said, said
    return done.returncode != 0
