"""locustfile.py against a real service, and against one that lies."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

from harness.soak.afterwards import look
from harness.soak.judging.figures import totals
from harness.soak.judging.written import expected
from harness.soak.load.recording import read_load
from tests.service.launch import Service, command, environment
from tests.service.under_load.locusts import finished, needs_locust, started, under_way
from tests.service.under_load.lying import Lies, between

pytestmark = needs_locust


def test_a_sound_service_is_found_sound_by_two_workers(folder: Path) -> None:
    options = ("--dataset", "shop", "--config", "service.yaml", "--minutes", "0.04", "--users", "16")
    done = subprocess.run(
        command("soak", *options, "--workers", "2", "--out", "soaked"),
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    result = json.loads((folder / "soaked" / "result.json").read_text())
    kept = {one["name"]: one["kept"] for one in result["promises"]}
    # Too short for a P99, and a busy machine may have the service answer late; nothing else depends on time.
    exact = kept.keys() - {"searchable_p99_ms", "unanswered_share"}
    assert {name: kept[name] for name in exact} == dict.fromkeys(exact, True), done.stdout
    assert done.returncode == (0 if kept["unanswered_share"] else 99)
    assert result["load"]["workers"] == 2
    assert result["totals"]["looked_for"] > 10
    assert result["afterwards"]["compared"] > 20
    assert result["service"]["exit_code"] == 0
    assert "Report: " in done.stdout
    assert "promises" in (folder / "soaked" / "report.html").read_text()
    assert (folder / "soaked" / "served").exists() == (done.returncode != 0)


def test_a_service_that_lies_is_found_out(service: Service, tmp_path: Path) -> None:
    lies = Lies()
    with between(service.url, lies) as url:
        about, samples = finished(started(tmp_path, url), tmp_path)
    judged = subprocess.run(
        command("soak", "--load", str(tmp_path)),
        cwd=tmp_path,
        env=environment(tmp_path),
        timeout=60,
        check=False,
    )
    assert judged.returncode == 99
    promises = json.loads((tmp_path / "result.json").read_text())["promises"]
    assert {one["name"] for one in promises if one["kept"] is False} >= {"stale", "unmet"}
    assert {one["name"] for one in promises if one["kept"] is None} >= {"lost_writes", "differences"}
    assert "promises broken" in (tmp_path / "report.html").read_text()
    figures = totals(samples)
    assert 0 < (figures["stale"] or 0) <= lies.sold
    assert 0 < (figures["unmet"] or 0) <= lies.outside
    found = look(service.url, expected(samples, about["plan"]["name"]))
    # One of them may have been asked to be removed since, of which the service knew nothing.
    assert 0 < len(found.lost) <= lies.unwritten


def test_a_load_that_is_ended_accounts_for_every_request(service: Service, tmp_path: Path) -> None:
    process = started(tmp_path, service.url, seconds=600)
    under_way(process)
    time.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    about, samples = read_load(tmp_path)
    counts = about["counts"]
    assert counts["lost_rows"] == 0
    assert counts["not_sent"] > 60_000
    assert 0 < len(samples) < 1000


def test_what_cannot_be_put_under_load_is_told(tmp_path: Path) -> None:
    _, said = (process := started(tmp_path, "http://127.0.0.1:1")).communicate(timeout=60)
    assert process.returncode == 1
    assert "no load: http://127.0.0.1:1: " in said
    assert not (tmp_path / "load.json").exists()
