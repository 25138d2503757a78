"""`make perf`: every figure of the harness itself, side by side with references; kept in runs/perf.json."""

from __future__ import annotations

import argparse
import importlib
import json
import os
from pathlib import Path
from typing import Any

from tests.perf.table import show
from tests.servers.launch import UnavailableError

# What `make perf` runs; each module has figures(). Those of ingest need VectorDBBench in a Python of its own.
PARTS = (
    "start",
    "load",
    "oracle",
    "report",
    "scale",
    "client_qdrant",
    "client_milvus",
    "client_elasticsearch",
    "client_opensearch",
    "client_vespa",
    "client_pgvector",
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
    target, environment = Path("runs/perf.json"), dict(os.environ)
    target.parent.mkdir(exist_ok=True)
    for name in chosen:
        try:
            part = importlib.import_module(f"tests.perf.{name}").figures()
        except (UnavailableError, ModuleNotFoundError) as error:
            print(f"{name}: left out: {error}", flush=True)
            continue
        finally:  # the addresses of servers that have ended
            os.environ.clear()
            os.environ.update(environment)
        show(part)
        rows += part
        target.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"\nwritten to {target}")


if __name__ == "__main__":
    main()
