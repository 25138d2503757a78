"""What `bakeoff data describe` prints: a dataset as the harness understood it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engines.columns import Keywords, Tags, occurring, present
from harness.data.dataset import Attribute, Dataset
from harness.data.identity import ModelIdentity
from harness.data.queries.workload import Workload, selectivity
from harness.data.stored.arrays import block_rows, distinct_rows, row_hashes

_TOP = 3  # of a keyword column, how many values are shown
_NEARLY_UNIQUE = 0.9  # share of distinct values
_UNIT_TOLERANCE = 1e-3  # norms this near to 1 count as normalised


def describe(dataset: Dataset) -> str:
    """The dataset in words and figures; reads every vector once."""
    n, dim = dataset.vectors.shape
    norms, distinct = _vectors(dataset)
    lines = [
        f"{dataset.name}: {n:,} items x {dim} dimensions ({dataset.vectors.dtype}), {dataset.metric}, "
        f"{len(dataset.queries):,} queries",
        *([dataset.description] if dataset.description else []),
        f"fingerprint  {dataset.fingerprint}",
        *([f"model        {_model(dataset.model)}"] if dataset.model else []),
        f"norms        {norms}",
        f"duplicates   {n - distinct:,} vectors repeat an earlier one",
        f"ids          {_ids(dataset)}",
    ]
    lines += section("columns", [_column(dataset, attribute) for attribute in dataset.attributes])
    lines += section("filter sets", [_filter_set(dataset, name) for name in dataset.filters])
    return "\n".join(lines)


def _model(model: ModelIdentity) -> str:
    return f"{model.name}, version {model.version}, hash {model.hash}"


def section(title: str, entries: Sequence[tuple[str, ...]]) -> list[str]:
    """A title, and below it the entries as lines whose cells stand under each other."""
    if not entries:
        return [f"{title:<12} none"]
    widths = [max(map(len, column)) for column in zip(*entries, strict=True)]
    rows = [
        "  ".join(cell.ljust(width) for cell, width in zip(entry, widths, strict=True)) for entry in entries
    ]
    return [title, *(f"  {row.rstrip()}" for row in rows)]


def _blocks(dataset: Dataset) -> Iterator[np.ndarray]:
    step = block_rows(dataset.vectors.shape[1])
    for start in range(0, len(dataset.vectors), step):
        yield dataset.vectors[start : start + step]


def _vectors(dataset: Dataset) -> tuple[str, int]:
    """Their norms in words, and how many differ from each other."""
    parts, hashes = [], []
    for block in _blocks(dataset):
        parts.append(np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64)))
        hashes.append(row_hashes(block))
    norms = np.concatenate(parts)
    unit = bool(np.all(np.abs(norms - 1) < _UNIT_TOLERANCE))
    text = f"{norms.min():.4g} to {norms.max():.4g}, mean {norms.mean():.4g}"
    return f"{text} ({'' if unit else 'not '}unit-normalised)", distinct_rows(np.concatenate(hashes))


def _ids(dataset: Dataset) -> str:
    if dataset.ids is None:
        return "none, items are called by their row number"
    return f"{dataset.ids[0]!r} ... {dataset.ids[-1]!r}"


def _column(dataset: Dataset, attribute: Attribute) -> tuple[str, ...]:
    column = dataset.columns[attribute.name]
    distinct, counts = np.unique(occurring(column), return_counts=True)
    if not len(distinct):
        detail = "no item has a value"
    elif isinstance(column, Keywords | Tags) or attribute.kind == "boolean":
        words = column.vocabulary[distinct] if isinstance(column, Keywords | Tags) else distinct
        top = np.argsort(-counts, kind="stable")[:_TOP]
        detail = ", ".join(f"{short(words[i])} {counts[i] / len(column):.1%}" for i in top)
        if attribute.kind == "keyword" and len(distinct) > _NEARLY_UNIQUE * len(column):
            detail = "nearly every value differs: list it under text unless it is filtered by"
    else:
        number = ",.6g" if attribute.kind == "float" else ","
        detail = f"{distinct[0].item():{number}} to {distinct[-1].item():{number}}"
    known = present(column)
    if known is not None:
        missing = len(column) - np.count_nonzero(known)
        detail += f"; {missing:,} missing ({missing / len(column):.1%})"
    if isinstance(column, Tags):
        detail += f"; {len(column.codes) / max(1, len(column)):.1f} an item"
    return on_one_line(attribute.name), attribute.kind, attribute.origin, f"{len(distinct):,} values", detail


def short(value: object) -> str:
    """A value on one line, cut off where it is long."""
    text = on_one_line(str(value))
    return text if len(text) <= 40 else f"{text[:37]}..."


def on_one_line(text: str) -> str:
    """The text with its line breaks and tabs escaped."""
    return text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def _filter_set(dataset: Dataset, name: str) -> tuple[str, ...]:
    share = selectivity(Workload(name, dataset.queries, dataset.filters[name], 1), dataset)
    return (
        name,
        f"{share.distinct:,} filters",
        f"lets through {share.mean:.3%} on average ({share.min:.3%} to {share.max:.3%})",
    )
