"""Files taken into the catalogue, one after the other, each from where it was left."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from harness.progress import Progress as Report
from service.ingestion.files.progress import ProgressNotes
from service.ingestion.files.source import FileSource, Place, SourceError
from service.ingestion.pipeline import Pipeline


def ingest(
    files: Iterable[FileSource],
    pipeline: Pipeline,
    notes: ProgressNotes,
    *,
    again: bool,
    report: Report,
    say: Callable[[str], None],
) -> list[str]:
    """Returns what is wrong with files that could not be read to their ends; the others are ingested whole.

    again: from the beginning, although files have been ingested. Raises StoreError and LettersError.
    """
    errors = []
    for file in files:
        try:
            progress = notes.of(file.path)
        except OSError as error:
            errors.append(f"{file.path}: cannot be read ({error.strerror or error}); put it back")
            continue
        if again:
            progress = replace(progress, place=Place(), done=False)
        if progress.done:
            say(f"{file.path}: was ingested before and has not changed; --again takes it again")
            continue
        if progress.place.rows:
            say(f"{file.path}: goes on after {progress.place.rows:,} rows, which were ingested before")
        try:
            for records, place in file.read(progress.place):
                report(str(file.path), progress.place.offset, file.size)
                pipeline.take(str(file.path.resolve()), records)
                progress = replace(progress, place=place)
                notes.note(file.path, progress)
        except SourceError as error:
            errors.append(str(error))
            continue
        notes.note(file.path, replace(progress, done=True))
    return errors
