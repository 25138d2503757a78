"""`bakeoff results`: the cells or the samples of a run as a table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.printing.output import say, show_bytes
from harness.cli.reading.arguments import FORMATS
from harness.cli.results import refusing_damage
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from harness.results.result import RunResult


def results(options: argparse.Namespace) -> int:
    from harness.results.files import replacing_bytes
    from harness.results.result import read_result
    from harness.results.text import visible_in

    form = _format(options)
    _check_place(options.out)
    run = Path(options.run)
    result = visible_in(read_result(run))
    if not result.finished_at:
        say(f"{options.run}: is not complete; what it holds is written")
    with refusing_damage(options.run):
        parts = _samples(result, run, form) if options.samples else _cells(result, form)
        if options.out:
            with replacing_bytes(Path(options.out)) as file:
                file.writelines(parts)
        else:
            show_bytes(parts)
    return 0


def _format(options: argparse.Namespace) -> str:
    """The format asked for, else that of the file's name. Raises ConfigurationError for one that cannot be had."""
    suffix = Path(options.out).suffix.removeprefix(".").lower() if options.out else ""
    if suffix and suffix not in FORMATS and not options.format:
        raise ConfigurationError(
            f"--out {options.out}: a table is written as {', '.join(FORMATS)}; end the name in one of them, or say "
            "which with --format"
        )
    form = str(options.format or suffix or "csv")
    if options.samples and form == "md":
        raise ConfigurationError(
            "--samples: a row a request is no table to read; add --format csv, json or parquet"
        )
    if form == "parquet" and not options.out and sys.stdout.isatty():
        raise ConfigurationError(
            "--format parquet: a terminal cannot show it; name a file with --out, or pipe it"
        )
    return form


def _check_place(out: str | None) -> None:
    """Raises ConfigurationError where no file can have this name; now, and not after a long run has been read."""
    if out is None:
        return
    folder = Path(out).parent
    if not folder.is_dir():
        raise ConfigurationError(f"--out {out}: there is no folder {folder}; make it, or name another")
    if Path(out).is_dir():
        raise ConfigurationError(f"--out {out}: is a folder; name a file, such as {Path(out) / 'cells.csv'}")


def _cells(result: RunResult, form: str) -> Iterator[bytes]:
    from harness.results.tables import cells, formats
    from reports.page.export import cells_markdown

    match form:
        case "parquet":
            yield from formats.parquet_of([cells.cells_arrow(result)])
        case "json":
            yield from formats.json_of(cells.cell_records(result))
        case "md":
            yield cells_markdown(result).encode(errors="backslashreplace")
        case _:
            yield from formats.csv_of([cells.cells_table(result)])


def _samples(result: RunResult, run: Path, form: str) -> Iterator[bytes]:
    from harness.results.tables import formats, samples

    tables = samples.sample_tables(result, run if run.is_dir() else run.parent)
    match form:
        case "parquet":
            yield from formats.parquet_of(tables)
        case "json":
            yield from formats.json_of(row for table in tables for row in samples.sample_records(table))
        case _:
            yield from formats.csv_of(map(samples.sample_frame, tables))
