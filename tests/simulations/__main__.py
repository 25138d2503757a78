"""`python -m tests.simulations [gate] [decision]`: prints the rates; exit code 1 where one is not as promised."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

# Each module has main(count), which prints its rates and says whether they are as promised.
PARTS = {"gate": "tests.simulations.gate_rates", "decision": "tests.simulations.decision_rates"}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="only these; all by default")
    parser.add_argument("--runs", type=int, default=400, help="simulated runs a line")
    options = parser.parse_args()
    results = [import_module(PARTS[part]).main(options.runs) for part in options.parts or PARTS]
    sys.exit(not all(results))
