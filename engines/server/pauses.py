"""A pause after a server could not be reached, for clients that go on asking at once."""

from __future__ import annotations

import time

AFTER_LOSS_S = 0.05


def pause_after_loss() -> None:
    """Waits before the caller is told that no server answers.

    Without it a window of load over a dead server is filled with tens of thousands of failures, and the machine is as
    busy as the server has ever made it.
    """
    time.sleep(AFTER_LOSS_S)
