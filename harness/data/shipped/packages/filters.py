"""The filters of queries that are packages: what a person who looks for something like them would set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engines.filters import And, Eq, Filter, Range
from harness.data.shipped.packages.manifest import Below, PackageFilter, PackagesManifest
from harness.data.shipped.packages.reading import Package


def own_filters(spec: PackagesManifest, queries: Sequence[Package]) -> dict[str, tuple[Filter | None, ...]]:
    """The manifest's filter sets, one filter a query; None where a query has not even a section."""
    # One tag a package whatever the set, so that sets differ by what else they ask for.
    rng = np.random.default_rng([spec.seed, len(queries)])
    drawn = [
        one.tags[int(share * len(one.tags))] if one.tags else None
        for one, share in zip(queries, rng.random(len(queries)), strict=True)
    ]
    return {
        name: tuple(_filter(rule, package, tag) for package, tag in zip(queries, drawn, strict=True))
        for name, rule in spec.filters.items()
    }


def _filter(rule: PackageFilter, package: Package, tag: str | None) -> Filter | None:
    section = [Eq("section", package.section)] if package.section else []
    parts: list[Filter] = [
        *(section if rule.section else []),
        *([Eq("tags", tag)] if rule.tags and tag else []),
        *(_size(rule.installed_size, package.installed_size) if rule.installed_size else []),
    ]
    parts = parts or list(section)
    return None if not parts else parts[0] if len(parts) == 1 else And(tuple(parts))


def _size(rule: Below, own: int | None) -> list[Filter]:
    edge = next((edge for edge in rule.below if own is not None and own < edge), None)
    return [] if edge is None else [Range("installed_size", lt=edge)]
