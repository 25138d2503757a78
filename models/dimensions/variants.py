"""Vectors of one model at several dimensions and precisions, and what is answered by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from harness.data.identity import ModelIdentity
from models.data.split import Cases
from models.dimensions.material import Material
from models.encoding.padding import ADDED
from models.encoding.rotation import Floats, cut, kept, rotation
from models.encoding.scalar import rounded
from models.evaluation.nearest import answers
from models.evaluation.recommender import places, require_sound
from models.features.features import Float32, Int32
from models.features.stored import digest

Precision = Literal["float32", "int8"]
PRECISIONS: tuple[Precision, ...] = ("float32", "int8")
BYTES: Mapping[Precision, int] = {"float32": 4, "int8": 1}  # a coordinate


@dataclass(frozen=True, slots=True)
class Shortened:
    """A model's vectors at any dimension up to its own, at which they are the model's, neither turned nor cut.

    kept: float64[d], the share of the listings' squared lengths within the first 1, 2, ... d coordinates.
    """

    material: Material
    turned: Floats
    kept: Floats

    @classmethod
    def of(cls, material: Material) -> Shortened:
        """Turned by all listings of the catalogue."""
        listings = material.nearest.listings
        turned = rotation(listings)
        return cls(material, turned, kept(listings, turned))

    @property
    def dim(self) -> int:
        """The model's own."""
        return len(self.turned)

    def width(self, dim: int) -> int:
        """How many coordinates an index holds: two more where popularity counts."""
        return dim + (ADDED if self.material.model.encoder.weights.weight else 0)

    def identity(self, dim: int) -> ModelIdentity:
        """Vectors of each dimension lie in a space of their own, so each has a version and a hash."""
        own = self.material.model.identity
        if dim == self.dim:
            return own
        about = {"model": own.hash, "data": self.material.data, "dim": dim}
        return replace(own, version=f"{own.version}-{dim}d", hash=digest(about, {}))

    def listings(self, dim: int) -> Float32:
        """What an index holds of the n items: float32[n, width]."""
        material = self.material
        return material.model.encoder.indexed(self._cut(material.nearest.listings, dim), material.ids)

    def queries(self, cases: Cases, dim: int) -> Float32:
        """What an index of `listings` is asked with for c cases: float32[c, width]."""
        return self.material.model.encoder.queries(self._cut(self.material.nearest.users(cases), dim))

    def _cut(self, vectors: Float32, dim: int) -> Float32:
        return vectors if dim == self.dim else cut(vectors, self.turned, dim)

    def found(self, dim: int, precision: Precision) -> dict[str, Int32]:
        """Where each target of the cases stands among the answers, by split: see `places`.

        With int8 the listings are rounded and users are not; both are compared by inner product.
        """
        nearest, listings = self.material.nearest, self.listings(dim)
        if precision == "int8":
            listings = rounded(listings)
        k, named = max(self.material.config.evaluation.k), f"{dim} dimensions, {precision}"
        answered = {
            name: answers(self.queries(cases, dim), listings, cases, nearest.popularity, k)
            for name, cases in self.material.cases.items()
        }
        for name, own in answered.items():
            require_sound(named, own, self.material.cases[name], len(listings), least=k)
        return {name: places(own, self.material.cases[name].targets) for name, own in answered.items()}
