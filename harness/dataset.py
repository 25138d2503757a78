"""Datasets: what a run measures on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from engines.base import Column, Field, FieldKind, Metric, Schema
from engines.filters import Filter


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of a dataset: `text` is carried along but not filterable."""

    name: str
    kind: FieldKind | Literal["text"]
    origin: Literal["real", "generated"]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A corpus with its queries, memory-mapped.

    vectors: float32[n, dim]. queries: float32[q, dim]. columns: one of n rows an attribute (text and keyword
    as Keywords). filters: named filter sets the dataset brings, each with one filter (or None) a query.
    fingerprint: hash of the content (vectors, queries, columns, metric). ids: the user's own item ids by
    row; engines only ever see row numbers.
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

    @property
    def schema(self) -> Schema:
        """What an engine is asked to hold: everything but text."""
        fields = tuple(Field(a.name, a.kind) for a in self.attributes if a.kind != "text")
        return Schema(dim=self.vectors.shape[1], metric=self.metric, fields=fields)

    def head(self, rows: int | None, queries: int | None) -> Dataset:
        """The first `rows` items and `queries` queries (all where None); the fingerprint follows."""
        raise NotImplementedError
