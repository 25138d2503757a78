"""The listings of a data set as those an empty catalogue begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from engines.columns import decoded
from harness.errors import ConfigurationError
from harness.progress import Progress
from service.catalogue.checks import id_problem
from service.catalogue.listing import Fields, Put
from service.catalogue.store import Store

if TYPE_CHECKING:
    from harness.data.dataset import Dataset

_NOTE = "dataset"  # the store's note of what it was filled from
_BEGUN, _DONE = "begun ", "done "
_AT_ONCE = 1000  # listings in a commit


def load(store: Store, dataset: Dataset, progress: Progress, say: Callable[[str], None]) -> None:
    """Fills the store where it is empty, or where filling it was interrupted; else says that it stays as it is.

    Raises ConfigurationError where an id cannot be one, StoreError.
    """
    noted, listings = store.meta(_NOTE), store.count()
    interrupted = noted == _BEGUN + dataset.fingerprint
    if listings and not interrupted:
        say(f"the catalogue holds {listings:,} listings and stays as it is")
        if noted is not None and noted != _DONE + dataset.fingerprint:
            say(
                f"it began with other data than '{dataset.name}' is now; name another folder with --data for those"
            )
        return
    store.set_meta(_NOTE, _BEGUN + dataset.fingerprint)
    rows = len(dataset.vectors)
    label = "" if dataset.model is None else store.schema.engine.model
    for first in range(0, rows, _AT_ONCE):
        progress("writing the catalogue", first, rows)
        store.write(list(_puts(dataset, range(first, min(first + _AT_ONCE, rows)), label)))
    store.set_meta(_NOTE, _DONE + dataset.fingerprint)
    say(f"the catalogue begins with the {rows:,} listings of '{dataset.name}'")


def _puts(dataset: Dataset, rows: range, label: str) -> Iterator[Put]:
    part = slice(rows.start, rows.stop)
    vectors = np.array(dataset.vectors[part], np.float32)
    vectors.setflags(write=False)
    columns = {one.name: decoded(dataset.columns[one.name][part]) for one in dataset.attributes}
    details = {one.name for one in dataset.attributes if one.kind == "text"}
    for place, row in enumerate(rows):
        key = str(row if dataset.ids is None else dataset.ids[row])
        if problem := id_problem(key):
            raise ConfigurationError(f"dataset '{dataset.name}': row {row}: its id {problem}")
        values = {name: column[place] for name, column in columns.items()}
        yield Put(
            key,
            Fields(
                {name: value for name, value in values.items() if name not in details},
                {name: value for name, value in values.items() if name in details and value is not None},
                vectors[place],
                label,
            ),
        )
