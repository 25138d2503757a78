"""A picture of the embedding space: a sample of listings, seen from where they differ most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

from harness.results.text import visible
from models.data.items import MISSING, Categories, Items
from reports.charts.style import INK, engine_styles
from reports.wording import listing, percent, shortened

Float32 = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

MOST = 3_000  # listings that are drawn
TOP = 8  # words with a colour of their own
_GREY = "#b9c0c8"
_WIDTH, _HEIGHT, _EDGE = 720, 470, 14
_LAYERS = 6  # each group is drawn in so many turns, so that none lies on top of the others
_LONGEST = 24  # characters of a label
_APART = 0.2  # share of the variance that is seen between groups, from which on they are apart to the eye
_COVERED = 0.5  # share of the sample that the words with a colour must be of


@dataclass(frozen=True, slots=True)
class Group:
    """A word with its colour; rows: int64, which of the sample have it."""

    name: str
    colour: str
    rows: Int64


@dataclass(frozen=True, slots=True)
class Picture:
    """svg: the sample as dots, "" where all vectors are the same. legend: name, colour and count of each group."""

    svg: str
    caption: str
    legend: tuple[tuple[str, str, int], ...] = ()


def picture(vectors: Float32, items: Items, seed: int = 0) -> Picture:
    """Of vectors float32[n, d] of the catalogue's n listings."""
    rows = sampled(len(items), seed)
    points, shares = projected(vectors[rows])
    if shares.sum() == 0:
        return Picture("", "There is no picture: all listings have the same vector.")
    columns = {name: column[rows] for name, column in items.categories.items()}
    explained = {name: separation(vectors[rows], column) for name, column in columns.items()}
    chosen = most_telling(columns, explained)
    groups = _groups(columns[chosen], len(rows)) if chosen is not None else [_one(len(rows))]
    legend = tuple((group.name, group.colour, len(group.rows)) for group in groups)
    apart = chosen is not None and separation(points, columns[chosen]) >= _APART
    caption = _caption(len(rows), len(items), shares, chosen, explained)
    if chosen is not None and not apart:
        caption += " Its groups lie over one another here, so they have no names in the picture."
    return Picture(_svg(points, groups, caption, labelled=apart), caption, legend)


def sampled(listings: int, seed: int) -> Int64:
    """The rows that are drawn: all, or MOST of them at random."""
    if listings <= MOST:
        return np.arange(listings)
    return np.sort(np.random.default_rng([seed, listings]).choice(listings, MOST, replace=False))


def projected(vectors: Float32) -> tuple[Floats, Floats]:
    """The first two principal components: float64[n, 2], and the share of the variance that each shows.

    By the singular value decomposition of the centred vectors (Pearson 1901). Of the two directions that an axis can
    have it gets the one in which its largest coordinate is positive. Zeros where there is no variance.
    """
    centred = vectors.astype(np.float64)
    centred -= centred.mean(axis=0) if len(centred) else 0.0
    points, shares = np.zeros((len(centred), 2)), np.zeros(2)
    total = float(np.square(centred).sum())
    if total <= 1e-12 * max(1, centred.size):
        return points, shares
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    for axis in range(min(2, len(sizes))):
        direction = directions[axis]
        points[:, axis] = centred @ (direction * np.sign(direction[np.abs(direction).argmax()]))
        shares[axis] = sizes[axis] ** 2 / total
    return points, shares


def separation(vectors: Float32 | Floats, column: Categories) -> float:
    """The share of the variance of vectors float32[n, d] that lies between the groups of a column, 0 to 1.

    Groups are the most frequent words, all others, and the listings without a word (eta squared of a one-way analysis
    of variance, summed over the dimensions). 0 where nothing varies.
    """
    centred = vectors.astype(np.float64)
    centred -= centred.mean(axis=0) if len(centred) else 0.0
    total = float(np.square(centred).sum())
    groups = _codes(column)
    count = int(groups.max(initial=-1)) + 1
    sums = np.zeros((count, centred.shape[1]))
    np.add.at(sums, groups, centred)
    sizes = np.maximum(np.bincount(groups, minlength=count), 1)
    return float((np.square(sums).sum(axis=1) / sizes).sum()) / total if total else 0.0


def most_telling(columns: dict[str, Categories], explained: dict[str, float]) -> str | None:
    """The column that separates the vectors best, of those whose frequent words are those of half the sample."""
    usable = [name for name, column in columns.items() if len(np.unique(column.codes)) > 1]
    covering = [name for name in usable if _covered(columns[name]) >= _COVERED]
    if covering:
        return max(covering, key=lambda name: explained[name])
    return max(usable, key=lambda name: _covered(columns[name]), default=None)


def _covered(column: Categories) -> float:
    return float((_codes(column) < TOP).mean()) if len(column) else 0.0


def _frequent(column: Categories) -> Int64:
    """The codes of the TOP most frequent words, the most frequent first."""
    counts = np.bincount(column.codes[column.codes != MISSING], minlength=len(column.words))
    return np.argsort(-counts, kind="stable")[: min(TOP, int(np.count_nonzero(counts)))]


def _codes(column: Categories) -> Int64:
    """int64[n]: the place of a frequent word, TOP for other words, TOP + 1 for none."""
    places = np.full(len(column.words) + 1, TOP)
    places[_frequent(column)] = np.arange(len(_frequent(column)))
    places[-1] = TOP + 1  # MISSING is -1: the last
    return places[column.codes]


def _groups(column: Categories, rows: int) -> list[Group]:
    codes, frequent = _codes(column), _frequent(column)
    names = [visible(shortened(column.words[code], _LONGEST)) for code in frequent.tolist()]
    colours = [look.colour for look in engine_styles(map(str, range(len(names)))).values()]
    parts = [
        *zip(names, colours, range(len(names)), strict=True),
        ("others", _GREY, TOP),
        ("without a value", _GREY, TOP + 1),
    ]
    found = [Group(name, colour, np.flatnonzero(codes == place)) for name, colour, place in parts]
    return [group for group in found if len(group.rows)]


def _one(rows: int) -> Group:
    return Group("listings", next(iter(engine_styles(["listings"]).values())).colour, np.arange(rows))


def _caption(
    drawn: int, listings: int, shares: Floats, chosen: str | None, explained: dict[str, float]
) -> str:
    what = (
        f"All {drawn:,} listings"
        if drawn == listings
        else f"{drawn:,} of {listings:,} listings, drawn at random"
    )
    text = (
        f"{what}. Their vectors, seen along the two directions in which they differ most (PCA): these show "
        f"{percent(float(shares.sum()))} of the variance, so listings that look near may be far apart."
    )
    if chosen is None:
        return f"{text} No column of categories has more than one value to colour by."
    others = sorted((name for name in explained if name != chosen), key=lambda name: -explained[name])[:3]
    told = [f"{visible(name)} {percent(explained[name])}" for name in others]
    text += (
        f" Coloured by \u201c{visible(chosen)}\u201d: {percent(explained[chosen])} of the variance in all dimensions "
        "lies between its groups"
    )
    text += f" (of others: {listing(told)})." if told else "."
    return text


def _svg(points: Floats, groups: Sequence[Group], description: str, *, labelled: bool) -> str:
    """Dots as paths of no length with round ends: 3,000 take some 40 kB."""
    middle, reach = _placed(points)
    places = (points - middle) * reach * (1, -1) + (_WIDTH / 2, _HEIGHT / 2)
    size = 6.0 if len(points) <= 1000 else 5.0
    ordered = sorted(groups, key=lambda group: group.colour != _GREY)  # grey lies below
    paths = []
    for turn in range(_LAYERS):
        for group in ordered:
            rows = group.rows[turn::_LAYERS]
            if len(rows):
                dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places[rows].tolist())
                paths.append(f'<path d="{dots}" stroke="{group.colour}"/>')
    label = escape(description, quote=True)
    return (
        f'<svg class="space" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}"><title>{label}</title>'
        f'<g fill="none" stroke-linecap="round" stroke-width="{size}" stroke-opacity=".7">{"".join(paths)}</g>'
        f"{_labels(places, groups) if labelled else ''}</svg>"
    )


def _placed(points: Floats) -> tuple[Floats, float]:
    """The middle of the points, and how many pixels a unit is, the same along both axes."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array([_WIDTH - 2 * _EDGE, _HEIGHT - 2 * _EDGE])
    spread = np.maximum(high - low, 1e-12)
    return (low + high) / 2, float((room / spread).min())


def _labels(places: Floats, groups: Sequence[Group]) -> str:
    """Each coloured group's name at the middle of its dots, moved down where it would cover another."""
    taken: list[tuple[float, float, float]] = []
    texts = []
    for group in groups:
        if group.colour == _GREY:
            continue
        x, y = np.median(places[group.rows], axis=0).tolist()
        half = 4.0 * len(group.name) + 4
        x = min(max(x, half), _WIDTH - half)
        while any(abs(x - other) < half + width and abs(y - height) < 17 for other, height, width in taken):
            y += 3
        taken.append((x, y, half))
        texts.append(f'<text x="{x:.0f}" y="{y:.0f}">{escape(group.name)}</text>')
    style = (
        f'font-family="system-ui, sans-serif" font-size="14" font-weight="600" fill="{INK}" text-anchor="middle" '
        'stroke="#fff" stroke-width="4" stroke-linejoin="round" paint-order="stroke"'
    )
    return f"<g {style}>{''.join(texts)}</g>"
