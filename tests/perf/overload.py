"""Three times as many questions as the service can answer: how many it still answers, how late, and when it is over."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

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
            alone = closed(service.url, bodies, 8, closed_s)
            good = (alone["status"] == 200) & ~alone["fallback"]
            capacity = float(good.sum()) / closed_s
            due = poisson(TIMES * capacity, offered_s, rng)
            answers = offered(service.url, bodies, due, CONNECTIONS, 10.0)
            start_s = time.perf_counter()
            afterwards = closed(service.url, bodies, 1, 0.2)
            assert time.perf_counter() - start_s < 60
    took_ns = answers["done_ns"] - answers["due_ns"]
    accepted = answers["status"] == 200
    kept = accepted & ~answers["fallback"] & (took_ns <= DEADLINE_S * 1e9)
    goodput = float(kept.sum()) / offered_s
    p99_ms = percentile(took_ns[accepted], 0.99) / 1e6
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


def _row(name: str, ours: float, reference: float | None, unit: str, note: str) -> dict[str, Any]:
    ratio = None if not reference else ours / reference
    return {"name": name, "ours": ours, "reference": reference, "ratio": ratio, "unit": unit, "note": note}


if __name__ == "__main__":
    show(figures())
