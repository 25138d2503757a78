"""`make perf`: every figure of the harness itself, side by side with references; kept in runs/perf.json."""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.perf.table import figures_of, show
from tests.servers.launch import UnavailableError

# What `make perf` runs; each module has figures(). Those of ingest need VectorDBBench in a Python of its own.
PARTS = (
    "start",
    "load",
    "load_clients",
    "oracle",
    "report",
    "scale",
    "decision",
    "kills",
    "describing",
    "encoding",
    "training",
    "service",
    "retrieval",
    "telemetry",
    "overload",
    "workers",
    "over_http",
    "engine_kills",
    "rebuild",
    "growth",
    "client_qdrant",
    "client_milvus",
    "client_elasticsearch",
    "client_opensearch",
    "client_vespa",
    "client_pgvector",
    "ingest_qdrant",
    "ingest_milvus",
    "ingest_elasticsearch",
    "ingest_opensearch",
    "ingest_pgvector",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="only these; all by default")
    chosen = parser.parse_args().parts or PARTS
    rows: list[dict[str, Any]] = []
    target = Path("runs/perf.json")
    target.parent.mkdir(exist_ok=True)
    # A process for each part: what one leaves behind is no other's, its memory in particular, which Linux counts as
    # that of the programs it starts (getrusage, ru_maxrss), and the addresses of servers that have ended.
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
        for name in chosen:
            try:
                part = processes.submit(figures_of, name).result()
            except (UnavailableError, ModuleNotFoundError) as error:
                print(f"{name}: left out: {error}", flush=True)
                continue
            show(part)
            rows += part
            target.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"\nwritten to {target}")


if __name__ == "__main__":
    main()
