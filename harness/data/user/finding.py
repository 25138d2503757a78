"""Which files make a data set: by their names, in a folder or beside a file, in one part or several."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.data.user.tables.opening import SUFFIXES as TABLES
from harness.data.user.vectors.opening import SUFFIXES as MATRICES
from harness.errors import ConfigurationError

VECTORS, QUERIES, ATTRIBUTES, FILTERS = "vectors.npy", "queries.npy", "attributes.parquet", "filters.jsonl"
MANIFEST = "dataset.yaml"
HDF5 = (".hdf5", ".h5")
# What files are called that hold one thing, by us or by others; further parts of it have a number behind.
_NAMES = {
    "vectors": ("vectors", "train", "shuffle_train", "base"),
    "queries": ("queries", "query", "test"),
    "attributes": ("attributes", "payloads", "scalar_labels"),
    "filters": ("filters",),
    "tests": ("tests",),
}
_LINES = (".jsonl", ".ndjson")
_ENDINGS = {
    "vectors": MATRICES,
    "queries": MATRICES,
    "attributes": TABLES,
    "filters": _LINES,
    "tests": _LINES,
}
_SAVED = {"vectors": VECTORS, "queries": QUERIES, "attributes": ATTRIBUTES, "filters": FILTERS}
_ANSWERS = re.compile(
    r"neighbou?rs|ground_?truth|closest|distances|^gt$"
)  # never used: they are computed here
# A name, the number of a part, and what tools put behind it (of how many, what it is compressed with).
_PART = re.compile(r"(?P<name>.*?)(?:[-_.]?(?P<number>\d+)(?P<rest>[-_.].*)?)?")
_OF = re.compile(r"[-_]of[-_](\d+)")
_SHOWN = 10  # names of files that are not used


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a data set, each list in the order of its rows; empty where there are none.

    sidecar: the manifest beside them, which need not exist. vectors: may be a single HDF5 file, which holds queries,
    too. filters: one a query. tests: queries and their filters in one file. unused: names of what lies there besides.
    """

    path: Path
    sidecar: Path
    vectors: tuple[Path, ...] = ()
    queries: tuple[Path, ...] = ()
    attributes: tuple[Path, ...] = ()
    filters: tuple[Path, ...] = ()
    tests: tuple[Path, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def files(self) -> list[Path]:
        return [*self.vectors, *self.queries, *self.attributes, *self.filters, *self.tests]

    @property
    def note(self) -> str:
        """Names what is not used; empty where all is."""
        if not self.unused:
            return ""
        more = len(self.unused) - _SHOWN
        return f"not used: {', '.join(self.unused[:_SHOWN])}" + (f" and {more:,} more" if more > 0 else "")


def sidecar_of(path: Path) -> Path:
    """The manifest beside the data at `path`. Raises ConfigurationError where nothing there can be data."""
    if path.is_dir():
        return path / MANIFEST
    if path.suffix in (*MATRICES, *HDF5):
        return path.with_suffix(".yaml")
    raise ConfigurationError(
        f"{path}: is no dataset; give a folder with {VECTORS} or Parquet files, a file of vectors "
        f"({', '.join(MATRICES)}), an ann-benchmarks .hdf5 or .h5 file, or a manifest .yaml"
    )


def find(path: Path) -> Found:
    """The files of the data set at `path`. Raises ConfigurationError with every reason to doubt them."""
    sidecar = sidecar_of(path)
    if path.is_dir():
        return _in_folder(path, sidecar)
    problems = _strays(path.parent.iterdir(), {sidecar.stem: sidecar.name}, [sidecar], (".yml", ".yaml"))
    if problems:
        raise ConfigurationError(problems)
    beside = path.suffix == ".parquet" and path.stem not in _NAMES["queries"]
    queries, filters = path.parent / "queries.parquet", path.parent / FILTERS
    if not (beside and queries.is_file()):
        return Found(path, sidecar, vectors=(path,))
    return Found(path, sidecar, (path,), (queries,), filters=(filters,) if filters.is_file() else ())


def _in_folder(folder: Path, sidecar: Path) -> Found:
    held = sorted(folder.iterdir(), key=lambda file: _natural(file.name))
    files = [file for file in held if not file.is_dir() and not file.name.startswith((".", "_"))]
    problems: list[str] = []
    roles = {role: _of_role(role, files, folder, problems) for role in _NAMES}
    if not roles["vectors"]:
        roles["vectors"] = _unnamed_parts(folder, files, problems)
    if roles["queries"]:
        roles["tests"] = ()
    used = {sidecar, *(file for paths in roles.values() for file in paths)}
    problems += [
        f"{file}: is a pipe or a device, not a file" for file in used if file.exists() and not file.is_file()
    ]
    missing = {role: saved for role, saved in _SAVED.items() if not roles[role]}
    if not sidecar.exists():
        missing[sidecar.stem] = sidecar.name
    problems += _strays(files, missing, used)
    if problems:
        raise ConfigurationError(problems)
    unused = [f"{file.name}/" if file.is_dir() else file.name for file in held if file not in used]
    return Found(
        folder, sidecar, **roles, unused=tuple(name for name in unused if not name.startswith((".", "_")))
    )


def _of_role(role: str, files: Sequence[Path], folder: Path, problems: list[str]) -> tuple[Path, ...]:
    """The files that hold one thing: one, or parts with numbers; where its kind may differ, of the best one."""
    found: dict[tuple[str, str, bool], list[Path]] = {}
    for file in files:
        name, number = _parts_of(file)
        if number is not None and _ENDINGS[role] == _LINES:
            continue
        if file.suffix in _ENDINGS[role] and (name in _NAMES[role] or _has_word(file, role)):
            found.setdefault((name, file.suffix, number is not None), []).append(file)
    groups = list(found.values())
    if role == "attributes":  # what they were made from may stay
        best = min((TABLES.index(group[0].suffix) for group in groups), default=0)
        groups = [group for group in groups if group[0].suffix == TABLES[best]]
    if len(groups) > 1:
        several = ", ".join(group[0].name for group in groups)
        problems.append(f"{folder}: each of these may hold the {role}: {several}; move all but one elsewhere")
    if not groups:
        return ()
    problems += _gaps(folder, groups[0])
    return tuple(groups[0])


def _parts_of(file: Path) -> tuple[str, int | None]:
    """A file's name without the number of its part, and that number."""
    match = _PART.fullmatch(file.stem)
    if match is None or match["number"] is None:
        return file.stem, None
    return match["name"], int(match["number"])


def _has_word(file: Path, role: str) -> bool:
    """Whether a file of one of the formats of benchmarks says what it holds: sift_base.fvecs, query.10K.fbin."""
    return (
        file.suffix not in (".npy", ".npz", *TABLES)
        and role in ("vectors", "queries")
        and bool(set(re.split(r"[-_.]", file.stem)) & set(_NAMES[role]))
    )


def _gaps(folder: Path, parts: Sequence[Path]) -> list[str]:
    """Parts that are missing: by how many there are said to be, or by the numbers of the others."""
    numbers = [number for part in parts if (number := _parts_of(part)[1]) is not None]
    announced = {int(match[1]) for part in parts if (match := _OF.search(part.stem))}
    if announced and announced != {len(parts)}:
        told = " or ".join(f"{count:,}" for count in sorted(announced))
        return [f"{folder}: holds {len(parts):,} parts like {parts[0].name} of {told}; add the others"]
    # Numbers of which most are missing are no count, but days or times, whose range may be huge as well.
    if not numbers or max(numbers) - min(numbers) + 1 > 2 * len(numbers):
        return []
    lacking = sorted(set(range(min(numbers), max(numbers))) - set(numbers))
    if lacking:
        listed = ", ".join(map(str, lacking[:3]))
        return [
            f"{folder}: of the parts like {parts[0].name}, number {listed} is missing; add it, or number them anew"
        ]
    return []


def _unnamed_parts(folder: Path, files: Sequence[Path], problems: list[str]) -> tuple[Path, ...]:
    """Parquet files of any name as parts of one table, where all have one name and a number."""
    named = {name for role in ("queries", "attributes") for name in _NAMES[role]}
    groups: dict[str, list[Path]] = {}
    for file in files:
        name, _ = _parts_of(file)
        if file.suffix == ".parquet" and name not in named and not _ANSWERS.search(name):
            groups.setdefault(name, []).append(file)
    if len(groups) == 1:
        parts = next(iter(groups.values()))
        problems += _gaps(folder, parts)
        return tuple(parts)
    if groups:
        several = ", ".join(group[0].name for group in groups.values())
        problems.append(
            f"{folder}: which of its Parquet files hold the vectors is open: {several}; call them vectors.parquet "
            "(vectors-0.parquet, vectors-1.parquet, ...), or name one instead of the folder"
        )
    return ()


def _strays(
    files: Iterable[Path], missing: dict[str, str], used: Iterable[Path], endings: Sequence[str] = ()
) -> list[str]:
    """Files that differ from a missing one by case and ending (one of `endings`; any if there are none), such as
    attributes.xlsx or dataset.yml: the user expects them to be read.
    """
    expected = {stem.casefold(): name for stem, name in missing.items()}
    return [
        f"{file}: is not read; save it as {expected[file.stem.casefold()]}, or rename it"
        for file in sorted(files)
        if file.suffix and file not in used and file.stem.casefold() in expected
        if not endings or file.suffix.casefold() in endings
    ]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts part-2 before part-10."""
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", name)]
