"""From samples to promises and their page: each fault breaks its own promise, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.soak.judging.figures import by_kind, over_time, totals
from harness.soak.judging.promises import judge
from harness.soak.judging.written import expected
from harness.soak.load.plan import KINDS
from harness.soak.load.samples import ANSWERED, LATE, LOST, REFUSED, ROW, Rows
from reports.soak.page import render, write_report

MS = 1_000_000
RECOMMEND, PUT, REMOVE = (KINDS.index(name) for name in ("recommend", "put", "remove"))
COUNTS = {"due": 3000, "not_sent": 0, "lost_rows": 0}
AFTER: dict[str, float | None] = {"lost_writes": 0, "differences": 0}


def sound() -> Rows:
    """A thousand of each: questions after 5 ms, listings put, searchable after 20 ms, and removed."""
    samples = np.zeros(3000, ROW)
    samples["due_ns"] = samples["sent_ns"] = np.arange(3000) * 10 * MS
    samples["kind"] = np.tile([RECOMMEND, PUT, REMOVE], 1000)
    samples["done_ns"] = samples["due_ns"] + np.where(samples["kind"] == PUT, 20, 5) * MS
    samples["status"] = 200
    samples["listing"] = np.where(samples["kind"] == RECOMMEND, -1, np.arange(3000) // 3)
    samples["hits"] = np.where(samples["kind"] == RECOMMEND, 10, 0)
    return samples


def broken(samples: Rows, **counts: int) -> set[str]:
    return {one.name for one in judge(totals(samples), COUNTS | counts, AFTER) if one.kept is False}


def test_sound_samples_keep_every_promise() -> None:
    found = totals(sound())
    assert (found["read_p50_ms"], found["searchable_p99_ms"], found["looked_for"]) == (5.0, 20.0, 1000.0)
    promises = judge(found, COUNTS, AFTER)
    assert all(one.kept for one in promises)
    assert {one.name for one in promises} > {"stale", "unmet", "lost_writes"}


def test_each_fault_breaks_its_own_promise() -> None:
    for name in ("stale", "unmet"):
        samples = sound()
        samples[name][0] = 1
        assert broken(samples) == {name}
    slow = sound()
    slow["sent_ns"][slow["kind"] == PUT] += 90 * MS  # sent late: what counts is when it was due
    slow["done_ns"][slow["kind"] == PUT] += 90 * MS
    assert broken(slow) == {"searchable_p99_ms"}
    refused = sound()
    refused["outcome"][:4] = REFUSED
    assert broken(refused) == {"unanswered_share"}
    refused["outcome"][3] = ANSWERED
    assert broken(refused) == set()
    assert broken(sound(), lost_rows=1) == broken(sound(), lost_rows=-1) == {"lost_rows"}
    assert broken(sound(), not_sent=1) == {"not_sent"}
    for name in AFTER:
        assert {one.name for one in judge(totals(sound()), COUNTS, AFTER | {name: 1}) if not one.kept} == {
            name
        }


def test_what_was_not_measured_is_not_judged() -> None:
    promises = judge(totals(sound()[:30]), COUNTS, {"lost_writes": 0, "differences": None})
    assert {one.name for one in promises if one.kept is None} == {"searchable_p99_ms", "differences"}
    only_reads = sound()[sound()["kind"] == RECOMMEND]
    unknown = {one.name: one.note for one in judge(totals(only_reads), COUNTS, AFTER) if one.kept is None}
    assert unknown == {
        "stale": "no removal was acknowledged",
        "searchable_p99_ms": "takes 1,000 listings put",
    }


def test_acknowledged_writes_are_expected_and_unknown_ones_are_not() -> None:
    samples = np.zeros(7, ROW)
    samples["listing"] = [0, 1, 1, 2, 2, 3, 4]
    samples["kind"] = [PUT, PUT, REMOVE, PUT, REMOVE, PUT, PUT]
    samples["status"] = [200, 200, 200, 200, 0, 0, 202]
    samples["outcome"] = [ANSWERED, ANSWERED, ANSWERED, ANSWERED, LOST, LOST, LATE]
    assert expected(samples, "load") == {"load-0-0": True, "load-0-1": False, "load-0-4": True}


def test_windows_cover_everything_once() -> None:
    course = over_time(sound(), 30.0)
    assert len(course) == 30
    assert sum(line["due_per_s"] or 0 for line in course) == pytest.approx(3000)
    assert course[0]["put_max_ms"] == 20.0
    lines = {line["kind"]: line for line in by_kind(sound())}
    assert (lines["put"]["count"], lines["put"]["answered"], lines["similar"]["count"]) == (1000, 1000, 0)


def result(samples: Rows, after: dict[str, float | None]) -> dict[str, Any]:
    from dataclasses import asdict

    promises = judge(totals(samples), COUNTS, after)
    return {
        "name": "soak-<b>",
        "started_at": "then",
        "finished_at": "later",
        "environment": {"cpu": "a processor", "cores": 2, "memory_bytes": 2**30},
        "service": {"options": ["--dataset", "<script>"], "ready_s": 2.0, "exit_code": None},
        "load": {
            "plan": {"reads_per_s": 50, "writes_per_s": 50, "seconds": 30, "seed": 0},
            "workers": 1,
            "users": 8,
            "counts": COUNTS,
        },
        "totals": totals(samples),
        "kinds": by_kind(samples),
        "course": over_time(samples, 30.0),
        "memory": [(0.0, 2**20), (1.0, 2**21)],
        "afterwards": {"compared": 5},
        "promises": [asdict(one) | {"kept": one.kept} for one in promises],
    }


def test_the_page_says_what_was_broken() -> None:
    kept = render(result(sound(), AFTER))
    assert "All 8 promises kept" in kept
    assert "✘" not in kept
    assert "<script>" not in kept
    assert "Memory of the service: 1 MiB at first, 2 MiB at the end" in kept
    wrong = sound()
    wrong["stale"][0] = 2
    page = render(result(wrong, AFTER | {"differences": None}))
    assert "1 of 7 promises broken, 1 could not be judged" in page
    assert "2 faults, by when they happened" in page
    assert page.count("✘ broken") == 1
    assert render(result(sound()[:0], AFTER)).count("could not be judged") > 0


def test_the_page_of_a_load_from_elsewhere_names_the_host_and_no_memory(tmp_path: Path) -> None:
    elsewhere = result(sound(), AFTER) | {"service": None, "memory": []}
    elsewhere["load"]["host"] = "http://10.0.0.5:8080"
    path = write_report(tmp_path, elsewhere)
    page = path.read_text()
    assert "http://10.0.0.5:8080" in page
    assert "MiB at first" not in page
