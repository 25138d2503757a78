"""A pause after a server could not be reached, because clients ask again at once."""

from __future__ import annotations

import time

AFTER_LOSS_S = 0.05


def pause_after_loss() -> None:
    """Waits before the failure is reported to the caller.

    Without it a window of load on a dead server collects tens of thousands of failures and keeps the machine busy.
    """
    time.sleep(AFTER_LOSS_S)
