"""Names that nothing has: which one was meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def meant(name: str, known: Iterable[str]) -> str:
    """`did you mean 'brand'?` where a known name looks like this one, whatever its capitals; else nothing."""
    by_text = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), by_text, 1)
    return f"did you mean '{by_text[near[0]]}'?" if near else ""


def choices(name: str, known: Iterable[str], label: str = "known") -> str:
    """The same before all that are known: `did you mean 'brand'? known: brand, price`."""
    known = list(known)
    return f"{meant(name, known)} {label}: {', '.join(known) or 'none'}".lstrip()
