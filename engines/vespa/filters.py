"""Filters in YQL, the query language of Vespa."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from engines.base import Field
from engines.columns import Value
from engines.filters import INT64
from engines.values.translation import Translator
from engines.vespa.values import encoded, known, lowest


class Yql(Translator[str]):
    """A filter as what may follow `where`. Strings are quoted as in JSON, whose escapes YQL shares."""

    def everything(self) -> str:
        return "true"

    def nothing(self) -> str:
        return "false"

    def one_of(self, alias: str, field: Field, values: Sequence[Value]) -> str:
        if field.kind in ("keyword", "tags"):
            # Unlike `contains`, `in` compares words as they are: nothing is split, stemmed or normalised.
            return f"{alias} in ({', '.join(_quoted(str(value)) for value in values)})"
        if field.kind == "boolean":
            return self.everything() if len(set(values)) == 2 else f"{alias} = {str(bool(values[0])).lower()}"
        if field.kind == "float":  # which `in` does not take
            return self.any_of([self._equal(alias, float(value)) for value in values])
        numbers = [str(value) for value in values if value != INT64[0]]
        parts = [] if len(numbers) == len(values) else [f"{lowest(alias)} = true"]
        if numbers:
            parts.append(
                f"{alias} = {numbers[0]}" if len(numbers) == 1 else f"{alias} in ({', '.join(numbers)})"
            )
        return self.any_of(parts)

    def exists(self, alias: str, field: Field) -> str:
        return f"{known(alias)} = true"

    def if_present(self, alias: str, field: Field, part: str) -> str:
        # A missing boolean is false, a missing float NaN, which is ordered before all others. Words are never empty,
        # and an integer's range never reaches the lowest, which stands for none.
        return self.all_of([self.exists(alias, field), part]) if field.kind in ("boolean", "float") else part

    def _equal(self, alias: str, value: float) -> str:
        return f"{alias} = {value + 0.0!r}" if math.isfinite(value) else self.nothing()

    def between(self, alias: str, first: int | None, last: int | None) -> str:
        above, until = INT64[0] + 1 if first is None else first, INT64[1] if last is None else last
        parts = [f"range({alias}, {above}, {until})"] if above <= until else []
        # Costs nothing where no item has that value: Vespa drops a part without matches before it searches.
        return self.any_of(parts if first is not None else [*parts, f"{lowest(alias)} = true"])

    def within(self, alias: str, bounds: Mapping[str, float]) -> str:
        low = max(
            bounds.get("gte", -math.inf),
            math.nextafter(bounds["gt"], math.inf) if "gt" in bounds else -math.inf,
        )
        high = min(
            bounds.get("lte", math.inf),
            math.nextafter(bounds["lt"], -math.inf) if "lt" in bounds else math.inf,
        )
        if not low <= high or low == math.inf or high == -math.inf:  # nothing stored is infinite
            return self.nothing()
        return f"range({alias}, {_bound(low)}, {_bound(high)})"

    # Vespa simplifies a query before it searches, and drops an `or` whose parts are all `false`; with it went the
    # filter. So neither constant is ever part of anything.

    def all_of(self, parts: Sequence[str]) -> str:
        if self.nothing() in parts:
            return self.nothing()
        return _joined(" and ", parts, self.everything())

    def any_of(self, parts: Sequence[str]) -> str:
        if self.everything() in parts:
            return self.everything()
        return _joined(" or ", parts, self.nothing())

    def negate(self, part: str) -> str:
        constants = {self.everything(): self.nothing(), self.nothing(): self.everything()}
        return constants.get(part, f"!({part})")


def _joined(sign: str, parts: Sequence[str], without: str) -> str:
    """Parts but for the one that changes nothing, which stands for none at all."""
    kept = [part for part in parts if part != without]
    if len(kept) < 2:
        return kept[0] if kept else without
    return f"({sign.join(kept)})"


def _quoted(word: str) -> str:
    return json.dumps(encoded(word), ensure_ascii=False)


def _bound(value: float) -> str:
    return repr(value + 0.0) if math.isfinite(value) else f"{'-' if value < 0 else ''}Infinity"
