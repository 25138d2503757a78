"""An index built anew under 50 writes a second: what is lost, what is wrong, and what questions cost meanwhile."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from harness.soak.judging.figures import reads
from harness.soak.load.learning import learn
from tests.perf.load import percentile
from tests.perf.table import show
from tests.service.launch import Service, running
from tests.service.under_load.locusts import finished, started
from tests.service.under_load.rebuilds import Known, rebuild_under_load

LISTINGS, DIM, KNOWN, K = 20_000, 64, 50, 50
WRITES, READS, SECONDS, REBUILDS = 50, 50, 40, 3
OPTIONS = ("--dataset", f"synthetic:rows={LISTINGS},dim={DIM}", "--engine", "faiss")


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    load = {"writes": WRITES, "reads": READS, "users": 64}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with running(folder, *OPTIONS) as service:
            known = _known(service)
            _, before = finished(
                started(folder / "before", service.url, seconds=SECONDS / 2, **load), folder / "before"
            )
            found = rebuild_under_load(
                folder / "load", service, REBUILDS, known, k=K, seconds=SECONDS, **load
            )
    p99_ms, alone_ms = (_p99_ms(samples) for samples in (found.samples, before))
    lost, compared = len(found.found.lost), found.found.compared
    unknown = found.counts["lost_rows"] + found.counts["not_sent"]
    name = f"{REBUILDS} rebuilds of {LISTINGS:,} listings under {WRITES} writes/s"
    return [
        _row(f"{name}: acknowledged writes lost / acknowledged", lost, compared, "writes", "none"),
        _row(
            f"{name}: listings in which index and catalogue differ",
            found.found.differences,
            None,
            "listings",
            "none",
        ),
        # A graph may miss one by itself; an index of which half is missing misses half.
        _row(
            f"{name}: known listings missing / asked for",
            len(found.missing),
            found.asked,
            "answers",
            "next to none",
        ),
        _row(
            f"{name}: requests of which nothing is known / due",
            unknown,
            found.counts["due"],
            "requests",
            "none",
        ),
        _row("a rebuild, mean", float(np.mean(found.took_s)), None, "s", ""),
        _row(
            "P99 of questions, with rebuilds / without", p99_ms, alone_ms, "ms", "a rebuild takes a processor"
        ),
    ]


def _known(service: Service) -> list[Known]:
    """Listings of the data set, which nobody changes."""

    def ask(method: str, path: str, body: Any) -> tuple[int, Any]:
        reply = service.ask(method, path, body)
        return reply.status, reply.body

    return [(one.id, one.vector.tolist()) for one in learn(ask, KNOWN).examples]


def _p99_ms(samples: Any) -> float:
    asked = samples[reads(samples)]
    return float(percentile(asked["done_ns"] - asked["due_ns"], 0.99)) / 1e6


def _row(name: str, ours: float | None, reference: float | None, unit: str, note: str) -> dict[str, Any]:
    ratio = None if not reference or ours is None else ours / reference
    return {"name": name, "ours": ours, "reference": reference, "ratio": ratio, "unit": unit, "note": note}


if __name__ == "__main__":
    show(figures())
