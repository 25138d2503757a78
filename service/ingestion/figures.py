"""What ingestion has done since the process began, to be read from any thread."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

# written: put, patched or removed. unchanged: the listing was so already. stale: by its version older than what is
# stored. absent: a removal of what is not there. invalid: a dead letter.
Ingested = Literal["written", "unchanged", "stale", "absent", "invalid"]


@dataclass(slots=True)
class Figures:
    """read: records. outcomes: what came of them. retries: of writes that failed. error: the last failure, "" once it
    is over.
    """

    read: int = 0
    outcomes: Counter[Ingested] = field(default_factory=Counter)
    retries: int = 0
    error: str = ""
