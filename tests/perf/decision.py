"""How often a decision is wrong between equal engines, by simulation (`make simulate` prints all rates)."""

from __future__ import annotations

from typing import Any

from tests.simulations.decision_rates import rows


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    return rows()


if __name__ == "__main__":
    from tests.perf.table import show

    show(figures())
