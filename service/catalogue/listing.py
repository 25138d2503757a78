"""Listings, what can be done to them, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from engines.base import Vectors
from engines.columns import Value

HIGHEST_VERSION = 2**62  # that a caller may give: above it there is room to count on
# What a listing holds in a filterable field: None where it has no value. Of tags a list, each once, [] where none.
Attribute = Value | list[str] | None


@dataclass(frozen=True, slots=True)
class Listing:
    """A listing as it is now.

    id: what callers name it by. number: what engines name it by, >= 0, given once and never to another id.
    version: grows with each accepted write. attributes: every filterable field, also those without a value. details:
    what is shown or searched, not filtered. vector: float32[dim], not to be written to. model: the label of what made
    the vector, "" for one that was given. seller, brand: by the schema, None where it names none, or the listing has
    none. Times in ms since 1970.
    """

    id: str
    number: int
    version: int
    attributes: Mapping[str, Attribute]
    details: Mapping[str, str]
    vector: Vectors
    model: str
    seller: str | None
    brand: str | None
    listed_at_ms: int
    updated_at_ms: int


@dataclass(frozen=True, slots=True)
class Fields:
    """What a caller says of a listing, as `CatalogueSchema.read` has found it right; of a patch only some of it.

    vector: float32[dim], None where none is given. model: the label of what made it, "" where the caller did.
    """

    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    vector: Vectors | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class _Conditions:
    id: str
    _: KW_ONLY
    expected: int | None = None
    version: int | None = None

    def __post_init__(self) -> None:
        for value, lowest in ((self.expected, 0), (self.version, 1)):
            if value is not None and not lowest <= value <= HIGHEST_VERSION:
                raise ValueError(f"a version must be from {lowest} to 2^62, got {value}")


@dataclass(frozen=True, slots=True)
class Put(_Conditions):
    """Stores a listing whole, in place of the former one if there is one.

    expected: only if the listing has this version; 0: only if there is none. version: by the caller's own clock, >= 1;
    a write whose version is not above the stored one is stale. Without one the store counts. Raises ValueError for
    versions outside their range, and without a vector.
    """

    fields: Fields

    def __post_init__(self) -> None:
        _Conditions.__post_init__(self)  # slots make a new class, which super() would not know
        if self.fields.vector is None:
            raise ValueError(f"listing {self.id!r} has no vector, encode it first")


@dataclass(frozen=True, slots=True)
class Patch(_Conditions):
    """Replaces some fields of a listing; `expected` and `version` as in `Put`."""

    fields: Fields


@dataclass(frozen=True, slots=True)
class Remove(_Conditions):
    """Takes a listing out, leaving its version and what it was behind; `expected` and `version` as in `Put`.

    With a version also one that is not there, so that a write that comes late does not bring it back.
    """


Change = Put | Patch | Remove


@dataclass(frozen=True, slots=True)
class Written:
    """Stored. seq: the change's place in the outbox."""

    number: int
    version: int
    seq: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The listing is so already, such as after a repeated request. seq: of the change that made it so."""

    number: int
    version: int
    seq: int


@dataclass(frozen=True, slots=True)
class Stale:
    """Nothing stored: the given version is not above the stored one, `version`."""

    version: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Nothing stored: the listing has not the expected version but `version`; 0: there is none."""

    version: int


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing stored: there is no such listing to patch or to remove."""


Outcome = Written | Unchanged | Stale | Conflict | Absent


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A listing's last change: its place in the order of all changes, and whether it took the listing out."""

    seq: int
    number: int
    version: int
    removed: bool
