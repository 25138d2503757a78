"""The manifest of a package index: where it comes from, which packages are queries, and the filters of these."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from harness.scenario.strict import Name, PositiveFloat, PositiveInt, StrictModel


class Index(StrictModel):
    """Which index of a Debian archive, and where it comes from besides the cache and the mirror folder.

    apt: the archive's address for apt-get, which checks signatures. https: for downloads without it. keyring: of the
    archive's keys; where there is no such file, apt-get's own keys have to do.
    """

    suite: Name
    component: Name
    architecture: Name
    apt: str
    https: str
    keyring: str


class Below(StrictModel):
    """Less than the first of these edges that the query's own value is below; nothing where it is below none."""

    below: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]

    @field_validator("below")
    @classmethod
    def _ascending(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(low >= high for low, high in pairwise(value)):
            raise ValueError("edges must ascend")
        return value


class PackageFilter(StrictModel):
    """What a query asks for, each where it has it itself: its section, one of its tags (drawn), a size."""

    section: Literal["same"] | None = None
    tags: Literal["one"] | None = None
    installed_size: Below | None = None


class PackagesManifest(StrictModel):
    """Packages, their descriptions embedded by WordLlama.

    queries: how many packages, drawn by `seed`, are queries and no items. filters: named sets; a query that has nothing
    of what its set asks for asks for its section.
    """

    kind: Literal["packages"]
    name: Name
    summary: str = ""
    description: str = ""
    index: Index
    queries: PositiveInt
    seed: Annotated[int, Field(ge=0)] = 0
    filters: dict[Name, PackageFilter] = Field(default_factory=dict)
