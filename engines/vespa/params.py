"""The parameters of the Vespa engine."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator


class IndexParams(BaseModel):
    """Under the names of pyvespa and services.xml.

    hosts: the names of the machines that hold the documents, as Vespa knows them; empty for the one that a single
    container is. min_redundancy: copies of each document. max_workers: documents in flight while feeding, each on a
    connection of its own; Vespa takes one document a request, so it needs more of them than engines with batches.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    max_links_per_node: Annotated[int, Field(ge=1, le=512)] = 16
    neighbors_to_explore_at_insert: Annotated[int, Field(ge=1)] = 100
    min_redundancy: Annotated[int, Field(ge=1)] = 1
    hosts: tuple[str, ...] = ()
    max_workers: Annotated[int, Field(ge=1, le=1024)] = 32

    @field_validator("hosts")
    @classmethod
    def _are_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [host for host in hosts if not host.replace(".", "").replace("-", "").isalnum()]
        if wrong or len(set(hosts)) < len(hosts):
            raise ValueError(f"hosts must be names of machines, each once, got {', '.join(wrong or hosts)}")
        return hosts


_EXPLORED = 64  # nodes of the graph, k included, unless a scenario says otherwise
Share = Annotated[float, Field(ge=0, le=1)]


class SearchParams(BaseModel):
    """exploreAdditionalHits: nodes of the graph explored beyond k. None: 64 in all are explored, or k where that is
    more, as with the `ef` of other engines.

    The others are `ranking.matching.*` of the query API; None leaves Vespa's default. They decide by the share of
    documents that match a filter whether to scan (approximateThreshold), to walk the graph by the filter
    (filterFirstThreshold) or to filter afterwards (postFilterThreshold).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    exploreAdditionalHits: Annotated[int, Field(ge=0)] | None = None  # noqa: N815 - Vespa's name, as those below
    approximateThreshold: Share | None = None  # noqa: N815
    postFilterThreshold: Share | None = None  # noqa: N815
    filterFirstThreshold: Share | None = None  # noqa: N815
    filterFirstExploration: Share | None = None  # noqa: N815
    explorationSlack: Share | None = None  # noqa: N815
    targetHitsMaxAdjustmentFactor: Annotated[float, Field(ge=1)] | None = None  # noqa: N815

    def additional(self, k: int) -> int:
        """Nodes explored beyond the k that are asked for."""
        return max(_EXPLORED - k, 0) if self.exploreAdditionalHits is None else self.exploreAdditionalHits

    @property
    def matching(self) -> dict[str, float]:
        """Those of `ranking.matching` that are given."""
        given = self.model_dump(exclude={"exploreAdditionalHits"}, exclude_none=True)
        return {f"ranking.matching.{name}": value for name, value in given.items()}
