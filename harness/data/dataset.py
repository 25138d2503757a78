"""What a dataset is: vectors, queries, attributes and the filters they bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from engines.base import Field, FieldKind, Metric, Schema
from engines.columns import Column
from engines.filters import Filter, check, leaves
from harness.data.identity import ModelIdentity
from harness.data.stored.mapped import FirstRows
from harness.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of a dataset: `text` is carried along but not filterable. optional: whether items may lack a value."""

    name: str
    kind: FieldKind | Literal["text"]
    origin: Literal["real", "generated"]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Dataset:
    """A corpus with its queries, memory-mapped.

    vectors: float32[n, dim]. queries: float32[q, dim]. columns: one of n rows an attribute (text and keyword
    as Keywords). filters: named filter sets the dataset brings, each with one filter (or None) a query.
    fingerprint: hash of the content (vectors, queries, columns, filters, metric, model); of a head, followed by its
    size. ids: the user's own item ids by row; engines only ever see row numbers. indexed: the columns that engines
    hold and can filter by; None: every filterable one. model: what made the vectors, where the data say so.
    """

    name: str
    metric: Metric
    vectors: npt.NDArray[np.float32]
    queries: npt.NDArray[np.float32]
    fingerprint: str
    attributes: tuple[Attribute, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)
    filters: Mapping[str, tuple[Filter | None, ...]] = field(default_factory=dict)
    ids: npt.NDArray[np.object_] | None = None
    description: str = ""
    indexed: frozenset[str] | None = None
    model: ModelIdentity | None = None

    @property
    def filterable(self) -> tuple[str, ...]:
        """The columns that filters can be made of: everything but text."""
        return tuple(a.name for a in self.attributes if a.kind != "text")

    @property
    def schema(self) -> Schema:
        """What an engine is asked to hold."""
        held = self.filterable if self.indexed is None else self.indexed
        fields = tuple(
            Field(a.name, a.kind, a.optional) for a in self.attributes if a.kind != "text" and a.name in held
        )
        model = "" if self.model is None else self.model.label
        return Schema(dim=self.vectors.shape[1], metric=self.metric, fields=fields, model=model)

    def attribute(self, name: str) -> Attribute | None:
        """The attribute called `name`, or None."""
        return next((a for a in self.attributes if a.name == name), None)

    def head(self, rows: int | None, queries: int | None) -> Dataset:
        """The first `rows` items and `queries` queries (all where None); the fingerprint follows.

        Nothing is copied. Raises ConfigurationError where more are asked for than there are.
        """
        problems = []
        for key, wanted, available in (
            ("rows", rows, len(self.vectors)),
            ("queries", queries, len(self.queries)),
        ):
            if wanted is not None and not 0 < wanted <= available:
                problems.append(
                    f"{key}: {wanted:,} asked for, but dataset '{self.name}' has {available:,}; "
                    f"ask for 1 to {available:,}, or leave {key} out for all"
                )
        if problems:
            raise ConfigurationError(problems)
        n, q = rows or len(self.vectors), queries or len(self.queries)
        if (n, q) == (len(self.vectors), len(self.queries)):
            return self
        return replace(
            self,
            vectors=self.vectors[:n],
            queries=self.queries[:q],
            # Cutting twice gives the same content as cutting once, so it gets the same fingerprint.
            fingerprint=f"{self.fingerprint.partition('-')[0]}-{n}x{q}",
            columns=FirstRows(self.columns, n),
            filters={name: filters[:q] for name, filters in self.filters.items()},
            ids=None if self.ids is None else self.ids[:n],
        )


def filter_problems(where: Filter | None, attributes: Sequence[Attribute]) -> list[str]:
    """What is wrong with a filter for these attributes; [] if nothing."""
    text = {a.name for a in attributes if a.kind == "text"} & {leaf.field for leaf in leaves(where)}
    if text:
        return [f"'{name}' is text: it is carried along, but cannot be filtered" for name in sorted(text)]
    fields = tuple(Field(a.name, a.kind, a.optional) for a in attributes if a.kind != "text")
    return check(where, Schema(dim=0, metric="l2", fields=fields))
