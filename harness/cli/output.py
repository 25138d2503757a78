"""What several commands say or look up."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def say(text: str) -> None:
    """Writes a line to standard error."""
    print(text, file=sys.stderr)


def cache_folder() -> Path:
    """Where datasets and exact answers are kept."""
    return Path(os.environ.get("BAKEOFF_CACHE", ".cache"))
