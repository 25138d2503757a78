"""What training learnt, as arrays with names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.features import Float32, Sizes

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Residual:
    """A hidden layer of each of p parts, of w = d / p coordinates. inner: float32[p, w, h]. offset: float32[p, h].
    outer: float32[p, h, w].
    """

    inner: Float32
    offset: Float32
    outer: Float32


@dataclass(frozen=True, slots=True)
class ListingWeights:
    """The listing tower. ids: float32[ids, d], row 0 unused. categories: float32[words, d] each. numbers:
    float32[m, d]. text: float32[t, d].
    """

    ids: Float32
    categories: tuple[Float32, ...]
    numbers: Float32
    text: Float32
    residual: Residual


@dataclass(frozen=True, slots=True)
class UserWeights:
    """The user tower. attention: float32[p, w]. recency: float32[p]. empty: float32[d]. longest: how many items of a
    history count, the newest.
    """

    attention: Float32
    recency: Float32
    empty: Float32
    residual: Residual
    longest: int


@dataclass(frozen=True, slots=True)
class TowerWeights:
    """Both towers.

    Their vectors are made of p parts of w = d / p coordinates, each trained for itself: an ensemble, whose score is the
    mean of theirs. popularity: float32[ids] of the listing in each row of the id table; in row 0 how popular listings
    without a row count. weight: of it in a score; 0 where popularity does not count.
    """

    listing: ListingWeights
    user: UserWeights
    popularity: Float32
    weight: float

    @property
    def dim(self) -> int:
        """How long a vector is."""
        return len(self.user.empty)

    @property
    def sizes(self) -> Sizes:
        """What features the listing tower takes."""
        listing = self.listing
        words = tuple(len(table) for table in listing.categories)
        return Sizes(len(listing.ids), words, len(listing.numbers), len(listing.text))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """By name, for a file."""
        listing, user = self.listing, self.user
        named: dict[str, npt.NDArray[Any]] = {
            "listing.ids": listing.ids,
            "listing.numbers": listing.numbers,
            "listing.text": listing.text,
            "user.attention": user.attention,
            "user.empty": user.empty,
            "user.recency": user.recency,
            "user.longest": np.array(user.longest, np.int64),
            "popularity": self.popularity,
            "weight": np.array(self.weight, np.float32),
        }
        named |= {f"listing.categories.{place}": table for place, table in enumerate(listing.categories)}
        for tower, layer in (("listing", listing.residual), ("user", user.residual)):
            named |= {f"{tower}.{part}": getattr(layer, part) for part in ("inner", "offset", "outer")}
        return named

    @classmethod
    def of_arrays(cls, arrays: Arrays) -> TowerWeights:
        """What `arrays` named. Raises ValueError naming all that is missing, foreign, misshapen or not finite."""
        if problems := _problems(arrays):
            raise ValueError("; ".join(problems))

        def residual(tower: str) -> Residual:
            return Residual(*(arrays[f"{tower}.{part}"] for part in ("inner", "offset", "outer")))

        listing = ListingWeights(
            arrays["listing.ids"],
            tuple(arrays[f"listing.categories.{place}"] for place in range(_categories(arrays))),
            arrays["listing.numbers"],
            arrays["listing.text"],
            residual("listing"),
        )
        user = UserWeights(
            arrays["user.attention"],
            arrays["user.recency"],
            arrays["user.empty"],
            residual("user"),
            int(arrays["user.longest"]),
        )
        return cls(listing, user, arrays["popularity"], float(arrays["weight"]))


def _categories(arrays: Arrays) -> int:
    return sum(name.startswith("listing.categories.") for name in arrays)


def _problems(arrays: Arrays) -> list[str]:
    """A size is given by name, so that arrays that must agree are compared."""
    tables = {f"listing.categories.{place}": ("words", "dim") for place in range(_categories(arrays))}
    shapes: dict[str, tuple[str, ...]] = {
        "listing.ids": ("ids", "dim"),
        **tables,
        "listing.numbers": ("numbers", "dim"),
        "listing.text": ("text", "dim"),
        "user.attention": ("parts", "part"),
        "user.empty": ("dim",),
        "user.recency": ("parts",),
        "user.longest": (),
        "popularity": ("ids",),
        "weight": (),
    }
    for tower in ("listing", "user"):
        hidden = f"{tower}'s hidden"
        shapes |= {
            f"{tower}.inner": ("parts", "part", hidden),
            f"{tower}.offset": ("parts", hidden),
            f"{tower}.outer": ("parts", hidden, "part"),
        }
    problems = [f"no array '{name}'" for name in shapes if name not in arrays]
    problems += [f"array '{name}' is none of a model's" for name in arrays if name not in shapes]
    sizes: dict[str, int] = {}
    for name in [name for name in shapes if name in arrays]:
        array, wanted = arrays[name], shapes[name]
        expected = [sizes.get(size) for size in wanted]
        fits = array.ndim == len(wanted) and all(
            size is None or size == held for size, held in zip(expected, array.shape, strict=True)
        )
        if not fits:
            must = ", ".join(str(size or label) for size, label in zip(expected, wanted, strict=True))
            problems.append(f"array '{name}' must be of shape [{must}], is {list(array.shape)}")
        elif array.dtype != (np.int64 if name == "user.longest" else np.float32):
            problems.append(f"array '{name}' is of {array.dtype}")
        elif not np.isfinite(array).all():
            problems.append(f"array '{name}' holds values that are not finite")
        else:
            sizes |= {
                label: size for label, size in zip(wanted, array.shape, strict=True) if label != "words"
            }
    if not problems and sizes["parts"] * sizes["part"] != sizes["dim"]:
        problems.append(f"{sizes['parts']} parts of {sizes['part']} coordinates do not make {sizes['dim']}")
    if not problems and np.abs(arrays["popularity"]).max() > 1:
        problems.append("array 'popularity' must lie between -1 and 1")
    if not problems and arrays["user.longest"] < 1:
        problems.append("array 'user.longest' must be at least 1")
    return problems
