"""PostgreSQL with pgvector killed 20 times while the service is under load: answers meanwhile, and what is lost."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from engines.pgvector import local
from harness.soak.judging.figures import reads
from harness.soak.load.samples import FALLBACK, LOST, WRONG
from tests.perf.table import show
from tests.servers.launch import UnavailableError
from tests.service.launch import running
from tests.service.under_load.engine_kills import kill_under_load

KILLS, LISTINGS, DIM, DEADLINE_MS = 20, 5_000, 64, 500


def figures(kills: int = KILLS) -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    try:
        local.installed()
    except local.MissingServerError as error:
        raise UnavailableError(str(error)) from error
    question = {"vector": np.random.default_rng(0).standard_normal(DIM).round(4).tolist(), "k": 10}
    options = ("--dataset", f"synthetic:rows={LISTINGS},dim={DIM}", "--engine", "pgvector")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o711)  # PostgreSQL's account has to reach its data
        with local.running(folder / "postgres", cpus=2, memory_bytes=1 << 30) as server:
            environ = {"BAKEOFF_PGVECTOR_URL": server.settings["URL"]}
            with running(folder, *options, **environ) as service:
                killed = kill_under_load(
                    folder / "load", service, server, kills, question, reads=50, writes=50
                )
    samples = killed.samples
    asked = samples[reads(samples)]
    took_ms = (asked["done_ns"] - asked["sent_ns"]) / 1e6
    counts, recovered_s = killed.counts, max(killed.recovered_s)
    unknown = counts["lost_rows"] + counts["not_sent"]
    lost, compared = float(len(killed.found.lost)), float(killed.found.compared)
    within = float(np.sum(took_ms <= DEADLINE_MS))
    broken, stood_in = (
        float(np.isin(asked["outcome"], which).sum()) for which in ((LOST, WRONG), (FALLBACK,))
    )
    name, questions = f"{kills} kills", float(len(asked))
    return [
        _row(f"{name}: acknowledged writes lost / acknowledged", lost, compared, "writes", "none"),
        _row(
            f"{name}: listings in which index and catalogue differ",
            killed.found.differences,
            None,
            "listings",
            "none",
        ),
        _row(f"{name}: longest until the engine answered again / 5 s", recovered_s, 5.0, "s", "at most 1"),
        _row(
            f"{name}: questions without an answer, or with a wrong one / all",
            broken,
            questions,
            "questions",
            "none",
        ),
        _row(f"{name}: answered by the fallback / all", stood_in, questions, "questions", ""),
        _row(f"{name}: answered or refused within the deadline / all", within, questions, "questions", "all"),
        _row(f"{name}: the longest answer / deadline", float(took_ms.max()), DEADLINE_MS, "ms", ""),
        _row(f"{name}: requests of which nothing is known / due", unknown, counts["due"], "requests", "none"),
    ]


def _row(name: str, ours: float | None, reference: float | None, unit: str, note: str) -> dict[str, Any]:
    ratio = None if not reference or ours is None else ours / reference
    return {"name": name, "ours": ours, "reference": reference, "ratio": ratio, "unit": unit, "note": note}


if __name__ == "__main__":
    show(figures())
