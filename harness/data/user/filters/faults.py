"""What is wrong with many filters: each kind of mistake once, with how often it occurs and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from engines.values.filter_dialects import to_write, translated
from engines.values.filter_syntax import FilterSyntaxError, parse
from harness.data.dataset import Attribute, filter_problems

_SHOWN = 20  # kinds of mistakes
_VALUE = re.compile(r", got | cannot equal |; write ")  # from here on, messages of one kind differ in values
_KEY = re.compile(r'"([^"]*)":')


@dataclass(slots=True)
class FilterFaults:
    """Collects mistakes by kind; `unit` is what they are counted by: line or row."""

    label: str
    unit: str
    _found: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def add(self, number: int, message: str) -> bool:
        """Notes a mistake; returns whether it is the first of its kind."""
        head, *rest = _VALUE.split(message)
        kind = " ".join([head, *_KEY.findall("".join(rest[:1]))])
        found = self._found.setdefault(kind, [])
        found.append((number, message if not found else ""))
        return len(found) == 1

    def advise(self, number: int, advice: str) -> None:
        """Appends what to write to the messages noted for this line or row."""
        for found in self._found.values():
            if found[0][0] == number:
                found[0] = (number, f"{found[0][1]}{advice}")

    def problems(self) -> list[str]:
        """One line a kind of mistake, in the order in which they first occur."""
        told = []
        for found in self._found.values():
            number, message = found[0]
            place = f"{self.unit} {number}"
            if len(found) > 1:
                place = f"in {len(found):,} {self.unit}s, the first {place}"
            told.append(f"{self.label}: {place}: {message}")
        if len(told) > _SHOWN:
            told = [*told[:_SHOWN], f"{self.label}: ... and {len(told) - _SHOWN:,} more kinds of mistakes"]
        return told


def what_fits(data: object, attributes: Sequence[Attribute]) -> str:
    """What to write instead of a filter that is well formed, but does not fit the columns; empty where that is open."""
    for typed in (False, True):
        ours = translated(data, typed=typed)
        try:
            if ours is not None and not filter_problems(parse(ours), attributes):
                advice = to_write(ours)
                return f"; {advice}" if advice else ""
        except FilterSyntaxError:
            continue
    return ""
