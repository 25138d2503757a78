"""`make perf`: every figure of the harness itself, side by side with references; kept in runs/perf.json."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tests.perf import load, oracle, report, scale, start
from tests.perf.table import show

PARTS = {"start": start, "load": load, "oracle": oracle, "report": report, "scale": scale}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="only these; all by default")
    chosen = parser.parse_args().parts or list(PARTS)
    rows = []
    for name in chosen:
        part = PARTS[name].figures()
        show(part)
        rows += part
    target = Path("runs/perf.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"\nwritten to {target}")


if __name__ == "__main__":
    main()
