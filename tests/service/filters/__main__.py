"""Many random filters through a service: `python -m tests.service.filters --filters 10000 --engine faiss`.

Exit code 1 where any answer was a failure, late, broke the filter or missed a hit. A filter is its number's
alone, so that `--first 1234 --filters 1` asks with one again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from engines.registry import load
from engines.server.endpoint import variable
from tests.servers.launch import Servers
from tests.service.filters.trial import DIM, Outcome, served, tried


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.service.filters", description=__doc__)
    parser.add_argument("--filters", type=int, default=10_000, help="how many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first (default: %(default)s)")
    parser.add_argument("--engine", default="bruteforce", help="of the index (default: %(default)s)")
    chosen = parser.parse_args()
    servers, environment = Servers(), {}
    try:
        if load(chosen.engine).capabilities.server:
            servers.require(chosen.engine)
            name = variable(chosen.engine, "URL")
            environment[name] = os.environ[name]
        began = time.monotonic()
        with (
            tempfile.TemporaryDirectory() as folder,
            served(Path(folder), chosen.engine, **environment) as service,
        ):
            numbers = range(chosen.first, chosen.first + chosen.filters)
            asked = service.ask("POST", "/v1/recommendations", {"vector": [1.0] * DIM, "mode": "exact"})
            outcome = tried(service.url, numbers, exact=asked.status == 200)
            outcome.faults += [line for line in service.said if "Traceback" in line]
        took_s = time.monotonic() - began
    finally:
        servers.close()
    sys.stdout.write(f"{chosen.engine}: {shown(outcome)}, in {took_s:.0f} s\n")
    return 1 if outcome.faults else 0


def shown(outcome: Outcome) -> str:
    """Counts, and the first faults."""
    counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(outcome.counts.items()))
    faults = "".join(f"\n  {fault}" for fault in outcome.faults[:20])
    return f"{counts}; {len(outcome.faults):,} faults{faults}"


if __name__ == "__main__":
    sys.exit(main())
