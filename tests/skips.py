"""Why tests were skipped, summed up by cause: hundreds of lines would hide the few things that are missing here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

# What a reason holds, and the cause with what helps. The first that fits counts.
_CAUSES = (
    (
        r"[Dd]ocker|image",
        "no Docker engine, or no images of servers in it (as root: tests/servers/images/docker-engine, then "
        "tests/servers/images/build-all)",
    ),
    (r"chromium", "no Chromium (apt-get install chromium)"),
    (r"Maven could not fetch", "no artifacts of servers: Maven could not fetch them (name a mirror in its settings)"),
    (r"Maven", "no Maven to fetch servers with (apt-get install maven)"),
    (r"\bset BAKEOFF_\w+_URL", "no server that runs (set BAKEOFF_<ENGINE>_URL)"),
    (r"\bdeclares?\b|not with these (index )?parameters", "the engine does not declare what the test is about"),
)  # fmt: skip
_LONGEST = 160


def summed(reasons: Iterable[str]) -> list[str]:
    """A line a cause, `120 no Docker engine (...)`, the most frequent first."""
    counts = Counter(map(_cause, reasons))
    return [f"{count:>5} {cause}" for cause, count in counts.most_common()]


def _cause(reason: str) -> str:
    text = " ".join(reason.removeprefix("Skipped: ").split())
    for pattern, cause in _CAUSES:
        if re.search(pattern, text):
            return cause
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
