"""Which model made the vectors of a dataset: those of different models lie in different spaces."""

from __future__ import annotations

from dataclasses import dataclass

from harness.results.model import label


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """A model by name, version and the hash of its content (hexadecimal digits).

    Name and version are for people; the hash tells whether two models are the same.
    """

    name: str
    version: str
    hash: str

    def is_same(self, other: ModelIdentity) -> bool:
        """Whether both are one model; a hash may be cut short."""
        return self.hash.startswith(other.hash) or other.hash.startswith(self.hash)

    @property
    def label(self) -> str:
        """It in one word, `two-tower@3#0123456789ab`: what collections are marked with."""
        return label(self.name, self.version, self.hash)
