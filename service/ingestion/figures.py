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
    """read: records. outcomes: what came of them. retries: of writes that failed. error: how one fails now, "" where
    none does. failures, source_error: the same of the source, such as a broker that does not answer. lag: by partition,
    how many records wait.
    """

    read: int = 0
    outcomes: Counter[Ingested] = field(default_factory=Counter)
    retries: int = 0
    error: str = ""
    failures: int = 0
    source_error: str = ""
    lag: dict[int, int] = field(default_factory=dict)
