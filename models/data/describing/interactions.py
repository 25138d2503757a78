"""A file of interactions, described."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.data.describe import section, short
from models.data.describing.words import as_yaml, first_values, span
from models.data.interactions import Interactions
from models.data.items import Items
from models.data.reading.ids import encode_ids
from models.data.reading.options import InteractionOptions
from models.data.reading.table import Encoded, Table, encode
from models.data.reading.times import Moments, moments_ms
from models.data.split import Split

_KINDS = 20  # of events, that are shown with their counts


def items_of_interactions(table: Table, options: InteractionOptions) -> Items:
    """The items that a file names, as if they were a catalogue. Raises ConfigurationError for ids of another type."""
    if options.item not in table.names:
        return Items(np.empty(0, object))
    return Items(encode_ids(table.read(options.item), table.label(options.item)).objects())


def describe_interactions(
    table: Table, interactions: Interactions, items: Items, options: InteractionOptions, split: Split | str
) -> str:
    """Columns, events, times and their order, what is kept, and what is left out by reason.

    interactions: what was read of the table with the options. split: the cases held back, or why there can be none.
    """
    events = encode(table.read(options.event)) if options.event in table.names else None
    times = _times(table, options)
    lines = [f"{table.path}: {table.rows:,} interactions, {len(table.names)} columns"]
    lines += section("columns", [_column(table, name, options, times) for name in table.names])
    if events is not None:
        lines += section("events", _events(events, options))
    lines += [f"kept         {_kept(interactions, items)}", *_split(split)]
    lines += [f"left out     {count:,} rows {reason}" for reason, count in interactions.left_out.items()]
    lines += [f"note         {note}" for note in interactions.notes]
    lines.append("to read them otherwise, change in the configuration of bakeoff train:")
    lines.append(as_yaml({"interactions": _options(table, options, events, times)}))
    return "\n".join(lines)


def _times(table: Table, options: InteractionOptions) -> Moments | None:
    if options.time is None:
        return None
    return moments_ms(table.read(options.time), table.label(options.time), options.unit, "interactions.unit")


def _column(table: Table, name: str, options: InteractionOptions, times: Moments | None) -> tuple[str, ...]:
    column = table.read(name)
    roles = {
        options.user: "user",
        options.item: "item",
        options.time: "time",
        options.event: "event",
        options.weight: "weight",
    }
    role, missing, like = roles.get(name, "left out"), column.null_count, first_values(column)
    if role in ("user", "item"):
        ids = encode_ids(column, table.label(name))
        missing, like = int((~ids.known).sum()), f"{len(ids.distinct):,} different ones, such as {like}"
    elif role == "time" and times is not None:
        missing = int((~times.known).sum())
        like = span(times.ms[times.known]) + (f", in {times.unit}" if times.unit else "")
    elif role == "event":
        missing = int((~encode(column).known).sum())
    elif role == "weight":
        values = np.asarray(column.to_numpy(), np.float64)
        like = f"{values.min():,.6g} to {values.max():,.6g}"
    return short(name), role, str(column.type), f"{missing:,} missing", like


def _events(events: Encoded, options: InteractionOptions) -> list[tuple[str, ...]]:
    """Each kind of event: how many rows, and what one weighs. The most frequent ones where there are many."""
    words, counts = events.distinct.to_pylist(), events.counts
    top = np.argsort(-counts, kind="stable")[:_KINDS]
    rows: list[tuple[str, ...]] = [
        (short(words[at]), f"{counts[at]:,} rows", _weight(str(words[at]), options)) for at in top
    ]
    if len(words) > _KINDS:
        rest = int(counts.sum() - counts[top].sum())
        rows.append((f"{len(words) - _KINDS:,} more", f"{rest:,} rows", ""))
    return rows


def _weight(word: str, options: InteractionOptions) -> str:
    if not options.events:
        return "weighs 1"
    return f"weighs {options.events[word]:g}" if word in options.events else "left out"


def _kept(interactions: Interactions, items: Items) -> str:
    lengths = interactions.distinct().lengths
    taken = len(np.unique(interactions.items))
    return (
        f"{len(interactions):,} interactions of {len(interactions.user_ids):,} users, {int((lengths >= 2).sum()):,} of "
        f"them with two items or more, with {taken:,} of {len(items):,} items"
    )


def _split(split: Split | str) -> list[str]:
    if isinstance(split, str):
        return [f"split        none can be made: {line}" for line in split.splitlines()]
    cases = (
        f"{len(split.training.items):,} to learn from, {len(split.validation):,} users to validate by, "
        f"{len(split.test):,} to test by"
    )
    return [
        f"split        {split.why or split.kind}",
        f"             {cases}",
        *(f"             {count:,} {reason}" for reason, count in split.left_out.items()),
    ]


def _options(
    table: Table, options: InteractionOptions, events: Encoded | None, times: Moments | None
) -> dict[str, Any]:
    """The options, as in YAML, that say what was inferred or named."""
    named: dict[str, Any] = {"user": options.user, "item": options.item, "time": options.time}
    if times is not None and times.unit is not None:
        named["unit"] = times.unit
    if events is not None:
        named["event"] = options.event
        words = [str(word) for word in events.distinct.to_pylist()]
        if len(words) <= _KINDS:
            named["events"] = dict(options.events) or dict.fromkeys(words, 1)
    if options.weight in table.names:
        named["weight"] = options.weight
    return named
