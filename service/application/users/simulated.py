"""Made-up users of a catalogue, as examples where no model knows real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engines.base import Schema
from engines.columns import Value
from engines.filters import And, Eq
from harness.errors import ConfigurationError
from service.memory.stock import Stock
from service.retrieval.values import Taken, User

_TOOK = 6  # listings in a history


def taste_fields(tastes: Sequence[str], schema: Schema) -> tuple[str, ...]:
    """The one or two fields of words that users choose by; the first of the schema where none is named.

    Raises ConfigurationError.
    """
    known = [field.name for field in schema.fields if field.kind in ("keyword", "tags")]
    problems = [
        f"tastes: '{name}' is no field of keywords or tags (there are: {', '.join(known) or 'none'})"
        for name in tastes
        if name not in known
    ]
    if len(tastes) > 2:
        problems.append(f"tastes: must name one or two fields, got {len(tastes)}; leave some out")
    if not known:
        problems.append(
            "simulated_users: choose by fields of keywords or tags, and the catalogue has none; leave them out"
        )
    if problems:
        raise ConfigurationError(problems)
    return tuple(tastes or known[:2])


def simulated_users(count: int, tastes: Sequence[str], stock: Stock) -> Mapping[str, User]:
    """So many users by id, or as many as the first field has values: each took listings of one of these.

    With a second field, up to half of what a user took is of one value of that, the first user's the commonest, the
    next one's the next. The ids say that they are made up, and by which values. The same catalogue has the same users.
    """
    values = {one.field.name: [value for value, _ in one.values] for one in stock.facets(count)}
    likings: list[list[tuple[str, Value]]] = [[(tastes[0], value)] for value in values[tastes[0]]]
    for second in tastes[1:]:
        for liking, value in zip(likings, values[second], strict=False):
            liking.append((second, value))
    return dict(_user(number, liking, stock) for number, liking in enumerate(likings, start=1))


def _user(number: int, liking: Sequence[tuple[str, Value]], stock: Stock) -> tuple[str, User]:
    first, *second = (Eq(name, value) for name, value in liking)
    both = stock.drawn(And((first, *second)), _TOOK // 2, number) if second else []
    others = [one for one in stock.drawn(first, _TOOK, number) if one not in both]
    took = [*others[: _TOOK - len(both)], *both]
    often = f", often {liking[1][1]}" if both else ""
    return f"simulated {number}: {liking[0][1]}{often}", User(tuple(map(Taken, took)))
