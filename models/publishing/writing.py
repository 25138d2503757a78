"""Writes what a trained model makes for engines: a folder that `bakeoff run --dataset` takes as it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from engines.values.filter_syntax import to_json
from harness.data.identity import ModelIdentity
from harness.data.manifest import UserManifest
from harness.data.user.faults import Faults
from harness.data.user.finding import ATTRIBUTES, FILTERS, MANIFEST, QUERIES, VECTORS
from harness.errors import ConfigurationError, DatasetError, unwritable
from harness.scenario.strict import validated
from models.data.items import Items
from models.data.split import Cases
from models.evaluation.popularity import Popularity
from models.publishing.columns import Layout, filterable, layout, table
from models.publishing.options import PublishingOptions
from models.publishing.own_filters import UserFilters, filter_problems, let_through, own_filters
from models.publishing.taken import TAKEN, write_taken
from models.publishing.users import USERS, users_table

Float32 = npt.NDArray[np.float32]
_OURS = {VECTORS, QUERIES, ATTRIBUTES, FILTERS, MANIFEST, TAKEN, USERS}


@dataclass(frozen=True, slots=True)
class Published:
    """What was written: listings, and queries with their filters.

    left_out: how many listings are not in it because no user may be answered with them. cases: how many users the
    queries were drawn from. targets: what these users took next; let_through: how many of them their own filters let
    through, which bounds the recall that is possible under the filters.
    """

    folder: Path
    items: int
    left_out: int
    queries: int
    cases: int
    targets: int
    let_through: int
    filters: UserFilters


def write_dataset(
    folder: Path,
    items: Items,
    vectors: Float32,
    cases: Cases,
    queries: Float32,
    *,
    user_ids: npt.NDArray[np.object_],
    identity: ModelIdentity,
    popularity: Popularity,
    options: PublishingOptions | None = None,
) -> Published:
    """Writes listings and held-out users as a dataset, in a partial folder that is renamed when it is whole.

    vectors: float32[n, d] of the n items, and their popularity. queries: float32[c, d] of the c cases, whose rows of
    users are those of `user_ids`. Of the items only the cases' candidates are written, for nothing else may be
    answered. A dataset written before into the same folder is replaced. Raises ConfigurationError with every problem,
    DatasetError where the folder cannot be written.
    """
    options = options or PublishingOptions()
    manifest = _manifest(items, layout(items), identity, options)
    problems = _problems(folder, items, vectors, cases, queries, options=options)
    if problems:
        raise ConfigurationError(problems)
    sample = sampled(len(cases), options.queries, options.seed)
    asked = cases.take(sample)
    kept = np.arange(len(items)) if cases.candidates is None else np.flatnonzero(cases.candidates)
    sold, laid = items.take(kept), layout(items)
    filters = own_filters(
        asked.histories, items, laid, options.filters, filterable(sold, laid), rows=len(sold)
    )
    with _whole(folder) as partial:
        np.save(partial / VECTORS, np.ascontiguousarray(vectors[kept]))
        np.save(partial / QUERIES, np.ascontiguousarray(queries[sample]))
        _write_tables(partial, sold, laid, users=users_table(asked, items, user_ids))
        write_taken(partial, popularity, kept)
        if options.filters.columns:
            lines = (json.dumps(to_json(where)) for where in filters.filters)
            (partial / FILTERS).write_text("".join(f"{line}\n" for line in lines), "utf-8")
        (partial / MANIFEST).write_text(yaml.safe_dump(manifest, sort_keys=False), "utf-8")
    return Published(
        folder,
        items=len(sold),
        left_out=len(items) - len(sold),
        queries=len(sample),
        cases=len(cases),
        targets=len(asked.targets.items),
        let_through=let_through(filters, asked.targets, filterable(items, laid)),
        filters=filters,
    )


def sampled(cases: int, most: int, seed: int) -> npt.NDArray[np.int64]:
    """Which of so many cases become queries: all, or `most` of them drawn at random, in their order."""
    if cases <= most:
        return np.arange(cases)
    return np.sort(np.random.default_rng(seed).choice(cases, size=most, replace=False))


def _manifest(
    items: Items, laid: Layout, identity: ModelIdentity, options: PublishingOptions
) -> dict[str, Any]:
    """What dataset.yaml says. Raises ConfigurationError where a name or a hash would be refused there."""
    data: dict[str, Any] = {
        "metric": options.metric,
        "name": options.name or f"{identity.name}-{identity.version}",
        "description": options.description
        or f"Listings, and held-out users as queries, by model {identity.label}",
        "id": laid.id,
        "text": list(laid.texts.values()),
        "fill": dict(laid.fill),
        "model": asdict(identity),
    }
    data = {key: value for key, value in data.items() if value not in ([], {})}
    validated(UserManifest, data, MANIFEST)
    return data


def _problems(
    folder: Path,
    items: Items,
    vectors: Float32,
    cases: Cases,
    queries: Float32,
    *,
    options: PublishingOptions,
) -> list[str]:
    problems = filter_problems(items, options.filters)
    for what, matrix, rows in (("vectors", vectors, len(items)), ("queries", queries, len(cases))):
        label = f"{folder}: {what}"
        if matrix.dtype != np.float32 or matrix.ndim != 2 or len(matrix) != rows:
            problems.append(
                f"{label}: are {matrix.dtype}{list(matrix.shape)}, must be float32[{rows}, dimensions]; encode again"
            )
            continue
        faults = Faults(options.metric)
        faults.examine(matrix, 0)
        problems += faults.problems(label)
    if vectors.shape[1:] != queries.shape[1:]:
        problems.append(
            f"{folder}: vectors have shape {vectors.shape}, queries {queries.shape}; encode both with one model"
        )
    for what, count in (("listing", _count(items, cases)), ("case", len(cases))):
        if not count:
            problems.append(f"{folder}: there is no {what} to write; give at least one")
    if folder.exists() and (not folder.is_dir() or {file.name for file in folder.iterdir()} - _OURS):
        problems.append(f"{folder}: exists and is no dataset of a model; name another folder, or remove it")
    return problems


def _count(items: Items, cases: Cases) -> int:
    return len(items) if cases.candidates is None else int(np.count_nonzero(cases.candidates))


def _write_tables(partial: Path, sold: Items, laid: Layout, users: Any) -> None:
    import pyarrow.parquet as pq

    for name, written in ((ATTRIBUTES, table(sold, laid)), (USERS, users)):
        pq.write_table(written, partial / name)


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A partial folder beside `folder` that takes its place at the end, and is removed after an error."""
    partial, old = (folder.with_name(f".{folder.name}.{what}") for what in ("partial", "old"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for left in (partial, old):
            shutil.rmtree(left, ignore_errors=True)
        partial.mkdir()
        yield partial
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
    except OSError as error:
        raise DatasetError(f"{folder}: {unwritable(error)}") from error
    finally:
        for left in (partial, old):
            shutil.rmtree(left, ignore_errors=True)
