"""Three times as many questions as the service can answer: how many it still answers, how late, and when it is over."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from harness.load.schedules import poisson
from harness.soak.service import serving
from tests.perf.load import percentile
from tests.perf.table import show
from tests.service.under_load.offering import closed, offered

LISTINGS, DIM, DEADLINE_S = 20_000, 64, 0.5
CLOSED_S, OFFERED_S, TIMES, CONNECTIONS = 5.0, 20.0, 3, 512


def figures(closed_s: float = CLOSED_S, offered_s: float = OFFERED_S) -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    rng = np.random.default_rng(0)
    bodies = [{"vector": vector.tolist(), "k": 10} for vector in rng.standard_normal((256, DIM)).round(4)]
    with tempfile.TemporaryDirectory() as folder:
        options = [
            "--dataset",
            f"synthetic:rows={LISTINGS},dim={DIM}",
            "--engine",
            "faiss",
            "--data",
            f"{folder}/served",
        ]
        with serving(options, Path(folder) / "log") as service:
            closed(service.url, bodies, 8, 2.0)  # warm
            before_s = _cpu_s(service.pid)
            alone = closed(service.url, bodies, 8, closed_s)
            alone_s = _cpu_s(service.pid) - before_s
            good = (alone["status"] == 200) & ~alone["fallback"]
            capacity = float(good.sum()) / closed_s
            due = poisson(TIMES * capacity, offered_s, rng)
            answers = offered(service.url, bodies, due, CONNECTIONS, 10.0)
            loaded_s = _cpu_s(service.pid) - before_s - alone_s
            start_s = time.perf_counter()
            afterwards = closed(service.url, bodies, 1, 0.2)
            assert time.perf_counter() - start_s < 60
    took_ns = answers["done_ns"] - answers["due_ns"]
    accepted = answers["status"] == 200
    kept = accepted & ~answers["fallback"] & (took_ns <= DEADLINE_S * 1e9)
    goodput = float(kept.sum()) / offered_s
    p50_ms, p99_ms = (percentile(took_ns[accepted], share) / 1e6 for share in (0.5, 0.99))
    answer_us = alone_s / max(1, len(alone)) * 1e6
    # What is left where an answer takes as long as before: more than a refusal by itself, for both disturb each other.
    refusal_us = (loaded_s * 1e6 - accepted.sum() * answer_us) / max(1, np.sum(answers["status"] == 503))
    empty_s = float(answers["done_ns"].max() - due[-1]) / 1e9
    name = f"{TIMES} times capacity"
    shares = {
        "shed (503)": answers["status"] == 503,
        "answered by the fallback": accepted & answers["fallback"],
        "504": answers["status"] == 504,
        "without an answer": answers["status"] == 0,
    }
    sent_late_ms = percentile(answers["sent_ns"] - answers["due_ns"], 0.99) / 1e6
    return [
        _row(f"{name}: goodput / capacity", goodput, capacity, "answers/s", "at least 0.8"),
        _row(f"{name}: P99 of what is accepted / deadline", p99_ms, DEADLINE_S * 1e3, "ms", "at most 1"),
        _row(f"{name}: P50 of what is accepted / deadline", p50_ms, DEADLINE_S * 1e3, "ms", ""),
        _row(f"{name}: processor time of a refusal / answer", refusal_us, answer_us, "us", ""),
        _row(f"{name}: from the last question until all are answered / 1 s", empty_s, 1.0, "s", "at most 1"),
        *(
            _row(f"{name}: {what} / questions", float(which.sum()), len(answers), "questions", "")
            for what, which in shares.items()
        ),
        _row(f"{name}: sent late by the load itself, P99", sent_late_ms, None, "ms", "else it was no load"),
        _row(
            "right afterwards: answered as asked / questions",
            float(((afterwards["status"] == 200) & ~afterwards["fallback"]).sum()),
            len(afterwards),
            "questions",
            "all",
        ),
    ]


def _cpu_s(pid: int) -> float:
    """Processor time of a process so far."""
    return sum(psutil.Process(pid).cpu_times()[:2])


def _row(name: str, ours: float, reference: float | None, unit: str, note: str) -> dict[str, Any]:
    ratio = None if not reference else ours / reference
    return {"name": name, "ours": ours, "reference": reference, "ratio": ratio, "unit": unit, "note": note}


if __name__ == "__main__":
    show(figures())
