"""Interactions from a Parquet file: who took which item of a catalogue, when, and how much that weighs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engines.values.shown import shown
from harness.errors import ConfigurationError, noting
from models.data.interactions import Interactions
from models.data.items import Items
from models.data.reading.ids import encode_ids, rows_of
from models.data.reading.options import InteractionOptions
from models.data.reading.table import Encoded, Table, encode, parquet_table
from models.data.reading.times import moments_ms

_LEAST = 1e-30  # a weight; smaller ones, or larger than 1 / this, end in 0 or infinity as float32

Mask = npt.NDArray[np.bool_]


def read_interactions(path: Path, items: Items, options: InteractionOptions | None = None) -> Interactions:
    """The interactions of a Parquet file with the items of a catalogue, in order of time.

    Rows without user, item or time, with an unknown item, with an event that does not count, and repeated rows (the
    last of them stays) are left out and counted. Raises ConfigurationError with every problem: a column that is
    missing or cannot be understood, a weight that is not above 0, ids that are not the catalogue's, nothing left.
    """
    return interactions_of(parquet_table(path), items, options or InteractionOptions())


def interactions_of(table: Table, items: Items, options: InteractionOptions) -> Interactions:
    """As `read_interactions`."""
    problems = _lacking(table, options)
    if not table.rows:
        problems.append(f"{table.path}: holds no interactions")
    if problems:
        raise ConfigurationError(problems)
    rows = _Rows(table, np.ones(table.rows, np.bool_))
    times = weights = users = taken = None
    with noting(problems):
        users = rows.users(options.user)
    with noting(problems):
        taken = rows.items(options.item, items)
    with noting(problems):
        times = rows.times(options)
    with noting(problems):
        weights = rows.weights(options)
    if problems or users is None or taken is None or weights is None:
        raise ConfigurationError(problems)
    return rows.interactions(users, taken, times, weights)


def _lacking(table: Table, options: InteractionOptions) -> list[str]:
    """Columns that are needed, or named, and are not there."""
    needed = {"user": options.user, "item": options.item}
    if options.time is not None:
        needed["time"] = options.time
    for key in ("event", "weight"):
        if key in options.model_fields_set or (key == "event" and options.events):
            needed[key] = getattr(options, key)
    remedy = {"time": "name it with interactions.time, or set that to null where there are no times"}
    return [
        table.lacking(name, remedy.get(key, f"name it with interactions.{key}"))
        for key, name in needed.items()
        if name not in table.names
    ]


@dataclass(slots=True)
class _Rows:
    """The rows of a file, and which of them are kept."""

    table: Table
    kept: Mask
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    events: npt.NDArray[np.int32] | None = None

    def drop(self, unwanted: Mask, reason: str, example: str = "") -> None:
        """Leaves rows out, and counts those that no other reason has left out. `{row}` is the first of them."""
        unwanted = unwanted & self.kept
        count = int(unwanted.sum())
        if count:
            first = f"{example}row {int(np.argmax(unwanted))}"
            self.left_out[f"{reason} (first in {first})"] = count
            self.kept &= ~unwanted

    def users(self, name: str) -> Encoded:
        label = self.table.label(name)
        users = encode_ids(self.table.read(name), label)
        if not len(users.distinct):
            raise ConfigurationError(f"{label}: no row has a user")
        self.drop(~users.known, f"without {name}")
        return users

    def items(self, name: str, items: Items) -> npt.NDArray[np.int32]:
        """int32[rows], rows of the catalogue."""
        label = self.table.label(name)
        given = encode_ids(self.table.read(name), label)
        if not len(given.distinct):
            raise ConfigurationError(f"{label}: no row has an item")
        found, note = rows_of(given, items.ids, label)
        self.notes += [note] if note else []
        self.drop(~given.known, f"without {name}")
        taken = np.append(found, np.int32(-1))[given.codes]
        unknown = self.kept & (taken < 0)
        if unknown.any():
            example = given.distinct[int(given.codes[np.argmax(unknown)])].as_py()
            self.drop(
                unknown,
                f"of {int((found < 0).sum()):,} items that are not in the catalogue",
                f"{shown(example)}, ",
            )
        return taken

    def times(self, options: InteractionOptions) -> npt.NDArray[np.int64] | None:
        if options.time is None:
            return None
        label = self.table.label(options.time)
        ms, known, _ = moments_ms(self.table.read(options.time), label, options.unit, "interactions.unit")
        if not known.any():
            raise ConfigurationError(
                f"{label}: no row has a time; set interactions.time to null to do without"
            )
        self.drop(~known, f"without {options.time}")
        return ms

    def weights(self, options: InteractionOptions) -> npt.NDArray[np.float32]:
        """float32[rows]: the weight of the row times that of its event."""
        weights = np.ones(self.table.rows, np.float32)
        if options.weight in self.table.names:
            weights = self._weight_column(options.weight)
        if options.event not in self.table.names:
            return weights
        events = encode(self.table.read(options.event))
        self.events = events.codes
        words = [str(value) for value in events.distinct.to_pylist()]
        if not options.events:
            if len(words) > 1:
                self.notes.append(f"{options.event} holds {_listed(words)}; each weighs 1")
            return weights
        return weights * self._event_weights(options.event, options.events, events, words)

    def _weight_column(self, name: str) -> npt.NDArray[np.float32]:
        import pyarrow as pa

        label = self.table.label(name)
        try:
            column = self.table.read(name).cast(pa.float32(), safe=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ConfigurationError(f"{label}: weights must be numbers ({error})") from error
        weights = np.asarray(column.to_numpy(), np.float32)  # NaN where there is none
        wrong = ~((weights >= _LEAST) & (weights <= 1 / _LEAST))
        if wrong.any():
            row = int(np.argmax(wrong))
            value = self.table.read(name)[row].as_py()
            raise ConfigurationError(
                f"{label}: row {row} holds {shown(value)} ({int(wrong.sum()):,} such rows); a weight must be "
                f"from {_LEAST:g} to {1 / _LEAST:g}, so repair such rows, or leave them out of the file"
            )
        return weights

    def _event_weights(
        self, name: str, wanted: Mapping[str, float], events: Encoded, words: list[str]
    ) -> npt.NDArray[np.float32]:
        if not set(words) & set(wanted):
            raise ConfigurationError(
                f"{self.table.label(name)}: holds none of interactions.events ({', '.join(wanted)}), "
                f"but {_listed(words) or 'nothing'}"
            )
        absent = [word for word in wanted if word not in words]
        if absent:
            self.notes.append(f"{name} never holds {_listed(absent)}, though interactions.events names it")
        for code, word in enumerate(words):
            if word not in wanted:
                self.drop(
                    events.codes == code,
                    f"whose {name} is {shown(word)}, which interactions.events does not name",
                )
        self.drop(~events.known, f"without {name}")
        return np.array([*(wanted.get(word, 1.0) for word in words), 1.0], np.float32)[events.codes]

    def interactions(
        self,
        users: Encoded,
        items: npt.NDArray[np.int32],
        times: npt.NDArray[np.int64] | None,
        weights: npt.NDArray[np.float32],
    ) -> Interactions:
        """The rows that are kept, in order of time. Raises ConfigurationError where none is."""
        if not self.kept.any():
            reasons = "; ".join(f"{count:,} rows {reason}" for reason, count in self.left_out.items())
            raise ConfigurationError(f"{self.table.path}: no interaction is left: {reasons}")
        rows = self._in_order(users.codes, times)
        rows = rows[~self._repeated(rows, users.codes, items, times, weights)]
        is_user = np.bincount(users.codes[rows], minlength=len(users.distinct)) > 0
        number = (np.cumsum(is_user) - 1).astype(np.int32)
        if not is_user.all():
            self.notes.append(f"{int((~is_user).sum()):,} users have no interaction left")
        return Interactions(
            number[users.codes[rows]],
            items[rows],
            weights[rows],
            users.objects()[is_user],
            None if times is None else times[rows],
            self.left_out,
            tuple(self.notes),
        )

    def _in_order(
        self, users: npt.NDArray[np.int32], times: npt.NDArray[np.int64] | None
    ) -> npt.NDArray[np.int64]:
        """The kept rows by time; those of one moment as in the file."""
        rows = np.flatnonzero(self.kept)
        if times is None or (np.diff(times[rows]) >= 0).all():
            return rows
        by_user = rows[np.argsort(users[rows], kind="stable")]
        same = np.diff(users[by_user]) == 0
        late = int((same & (np.diff(times[by_user]) < 0)).sum())
        if late:
            self.notes.append(
                f"{late:,} rows come after a later one of the same user; all are sorted by time"
            )
        return rows[np.argsort(times[rows], kind="stable")]

    def _repeated(
        self,
        rows: npt.NDArray[np.int64],
        users: npt.NDArray[np.int32],
        items: npt.NDArray[np.int32],
        times: npt.NDArray[np.int64] | None,
        weights: npt.NDArray[np.float32],
    ) -> Mask:
        """Which of the rows say what a later one says, too."""
        import pandas as pd

        columns = (users, items, weights, times, self.events)
        told = {number: column[rows] for number, column in enumerate(columns) if column is not None}
        repeated: Mask = pd.DataFrame(told).duplicated(keep="last").to_numpy()
        if repeated.any():
            row = int(rows[np.argmax(repeated)])
            self.left_out[f"that occur again (first in row {row})"] = int(repeated.sum())
        return repeated


def _listed(words: list[str]) -> str:
    most = 5
    text = ", ".join(shown(word) for word in words[:most])
    return f"{text} and {len(words) - most:,} more" if len(words) > most else text
