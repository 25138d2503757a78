"""Words of a text, cut alike for every engine that ranks by them, so that all are asked the same."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+")
_LONGEST = 100  # characters; engines cut or drop words of some hundred


def words(text: str) -> list[str]:
    """Runs of letters and digits, without regard to case, as often and in the order as they occur."""
    return [word[:_LONGEST] for word in _WORD.findall(text.casefold())]
