"""What is left of a run after one of its processes was killed, 50 times: each kind in turn, or any at any moment."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.cli.kills import NOBODY, ROLES, kill_one

KILLS = 50


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit: kills, by what was killed, and what was left."""
    killed: Counter[str] = Counter()
    left: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        Path(folder).chmod(0o711)
        start_s = time.perf_counter()
        undisturbed = kill_one(Path(folder) / "undisturbed", 0, NOBODY)
        lasts_s = 0.7 * (time.perf_counter() - start_s)
        print(f"a run that is left alone, left: {undisturbed.left or 'nothing'}", flush=True)
        seed, roles = 0, list(ROLES)
        while killed.total() < KILLS:
            seed += 1
            asked = roles[seed // 2 % len(roles)] if seed % 2 else None
            one = kill_one(Path(folder) / str(seed), seed, asked, within_s=lasts_s)
            if one.role is None:  # the run had ended, or has no such process here
                continue
            role = one.role
            killed[role] += 1
            left[role] += bool(one.left)
            print(f"{seed}: {role} after {one.after_s:.1f} s, left: {one.left or 'nothing'}", flush=True)
    return [
        {
            "name": f"kills of {role}, after which something was left",
            "ours": float(left[role]),
            "reference": float(count),
            "ratio": left[role] / count,
            "unit": "runs",
        }
        for role, count in killed.most_common()
    ]


if __name__ == "__main__":
    from tests.perf.table import show

    show(figures())
