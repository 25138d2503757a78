"""The files that are to be ingested, all looked at before anything is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from harness.data.user.tables.parquet_files import open_parquet
from harness.errors import ConfigurationError, noting
from service.catalogue.schema import CatalogueSchema
from service.ingestion.files.columns import problems_of
from service.ingestion.files.ndjson import NdjsonFile
from service.ingestion.files.parquet import ParquetFile
from service.ingestion.files.source import FileSource
from service.writing.carrying import Operation

_LINES = (".ndjson", ".jsonl")
_TABLES = (".parquet",)
KNOWN = (*_TABLES, *_LINES)
_HIDDEN = (".", "_")


def find(
    paths: Iterable[Path],
    schema: CatalogueSchema,
    operation: Operation,
    *,
    encodes: bool,
    say: Callable[[str], None],
) -> list[FileSource]:
    """Each file once, those of a folder (and of folders in it) by name. encodes: whether vectors may be left out.

    Raises ConfigurationError with every problem of every file.
    """
    problems: list[str] = []
    files: dict[Path, Path] = {}
    for path in paths:
        with noting(problems):
            for file in _files(path, say):
                files.setdefault(file.resolve(), file)
    sources: list[FileSource] = []
    for file in files.values():
        with noting(problems):
            sources.append(_source(file, schema, operation, encodes))
    if problems:
        raise ConfigurationError(problems)
    return sources


def _files(path: Path, say: Callable[[str], None]) -> Sequence[Path]:
    if not path.is_dir():
        if not path.exists():
            raise ConfigurationError(f"{path}: no such file or folder; correct the path")
        if path.suffix.lower() not in KNOWN:
            raise ConfigurationError(
                f"{path}: its name must end in {', '.join(KNOWN)}, which says how it is read; rename it"
            )
        return [path]
    inside = sorted(_inside(path))
    found = [one for one in inside if one.suffix.lower() in KNOWN]
    if not found:
        raise ConfigurationError(
            f"{path}: holds no files that end in {', '.join(KNOWN)}; name another folder"
        )
    if len(found) < len(inside):
        say(
            f"{path}: {len(inside) - len(found):,} files are passed over, which do not end in {', '.join(KNOWN)}"
        )
    return found


def _inside(folder: Path) -> Iterator[Path]:
    """Without what writers of tables mean as notes of theirs, such as _SUCCESS or .part.crc."""

    def failed(error: OSError) -> None:
        raise ConfigurationError(
            f"{error.filename}: cannot be read ({error.strerror}); make it readable for this account"
        ) from error

    for place, folders, names in os.walk(folder, onerror=failed, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(_HIDDEN)]
        yield from (Path(place, name) for name in names if not name.startswith(_HIDDEN))


def _source(path: Path, schema: CatalogueSchema, operation: Operation, encodes: bool) -> FileSource:
    if not path.is_file():
        raise ConfigurationError(f"{path}: is a pipe or a device, not a file; write it to a file first")
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read ({error.strerror or error}); make it readable for this account"
        ) from error
    if path.suffix.lower() in _LINES:
        return NdjsonFile(path, operation)
    file = open_parquet(path)
    try:
        unfit = problems_of(file.schema_arrow, schema, operation, encodes=encodes)
        rows = file.metadata.num_rows
    finally:
        file.close()
    if unfit:
        raise ConfigurationError([f"{path}: {line}" for line in unfit])
    return ParquetFile(path, operation, rows)
