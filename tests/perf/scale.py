"""What the harness adds at scale: a FAISS HNSW index of 1M x 128 built bare and through a whole run."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

M, EF_CONSTRUCTION, DIM, BATCH = 16, 40, 128, 50_000

# Run in a process of its own, so that its peak memory is its own.
BARE = """
import json, sys, time
from pathlib import Path
import faiss, numpy as np
vectors = np.load(sys.argv[1], mmap_mode="r")
index = faiss.IndexIDMap2(faiss.IndexHNSWFlat(vectors.shape[1], int(sys.argv[2])))
faiss.downcast_index(index.index).hnsw.efConstruction = int(sys.argv[3])
start = time.perf_counter_ns()
for first in range(0, len(vectors), int(sys.argv[4])):
    rows = np.array(vectors[first : first + int(sys.argv[4])])
    index.add_with_ids(rows, np.arange(first, first + len(rows)))
build_s = (time.perf_counter_ns() - start) / 1e9
peak = next(l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmHWM:"))
print(json.dumps({"build_s": build_s, "peak_bytes": int(peak.split()[1]) * 1024}))
"""


def _bare(vectors: Path) -> dict[str, float]:
    command = [sys.executable, "-c", BARE, str(vectors), str(M), str(EF_CONSTRUCTION), str(BATCH)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _through_bakeoff(rows: int, folder: Path, cache: Path) -> dict[str, float]:
    scenario = {
        "name": "scale",
        "dataset": f"synthetic:rows={rows},dim={DIM},queries=1000",
        "trials": 1,
        "cell_timeout_s": 3600,
        "engines": [
            {
                "engine": "faiss",
                "index": {"kind": "hnsw", "M": M, "efConstruction": EF_CONSTRUCTION},
                "search": {"efSearch": 64},
            }
        ],
        "filters": [{"name": "none"}, {"name": "10pct", "selectivity": 0.1}],
        "tasks": [
            {"task": "index", "batch_size": BATCH},
            {"task": "search", "name": "search", "duration_s": 3},
        ],
    }
    path = folder / "scale.yaml"
    path.write_text(yaml.safe_dump(scenario))
    run = folder / f"run-{rows}"
    environment = {**os.environ, "BAKEOFF_CACHE": str(cache)}
    command = [sys.executable, "-m", "harness.cli", "run", str(path), "--out", str(run)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the scale run failed with exit code {process.returncode}")
    cells = json.loads((run / "result.json").read_text())["measurements"]
    index = next(cell["metrics"] for cell in cells if cell["kind"] == "index")
    filtered = next(cell["metrics"] for cell in cells if cell["filter"] == "10pct")
    return {
        "build_s": index["index_s"] + index["ready_s"],
        "peak_bytes": index["rss_peak_bytes"],
        "process_bytes": usage.ru_maxrss * 1024,  # the largest of the run's processes
        "filtered_qps": filtered["throughput_qps"],
        "filtered_recall": filtered["recall_at_10"],
    }


def figures(rows: int = 1_000_000, cache: Path = Path(".cache")) -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit. The builds run one after the other on the same machine."""
    from harness.data.catalogue import load_dataset

    dataset = load_dataset(f"synthetic:rows={rows},dim={DIM},queries=1000", cache=cache / "datasets")
    vectors = Path(str(dataset.vectors.base.filename))  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as folder:
        before = _bare(vectors)
        ours = _through_bakeoff(rows, Path(folder), cache)
        after = _bare(vectors)
    bare_s = (before["build_s"] + after["build_s"]) / 2
    bare_bytes = max(before["peak_bytes"], after["peak_bytes"])
    size = f"{rows:,} x {DIM}"
    return [
        {
            "name": f"FAISS HNSW build of {size}, through a run against bare",
            "ours": ours["build_s"],
            "reference": bare_s,
            "ratio": ours["build_s"] / bare_s,
            "unit": "s",
            "note": f"bare before {before['build_s']:.1f}, after {after['build_s']:.1f}; at most 1.10",
        },
        {
            "name": f"peak memory of the largest process, {size}",
            "ours": ours["process_bytes"] / 2**30,
            "reference": bare_bytes / 2**30,
            "ratio": ours["process_bytes"] / bare_bytes,
            "unit": "GiB",
            "note": f"{(ours['process_bytes'] - bare_bytes) / 2**30:+.2f} GiB; at most +1.00",
        },
        {
            "name": f"filtered search (10 %) on it, recall {ours['filtered_recall']:.3f}",
            "ours": ours["filtered_qps"],
            "reference": None,
            "ratio": None,
            "unit": "1/s",
        },
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    from tests.perf.table import show

    show(figures(parser.parse_args().rows))
