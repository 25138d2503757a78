"""Files into the catalogue that the settings name, whether a service runs on it or not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from harness.progress import Progress
from service.application.opening.catalogue import Say, encoder_of, fill, open_catalogue
from service.application.planning.plan import Plan
from service.catalogue.store import Store
from service.ingestion.figures import Figures
from service.ingestion.files.finding import find
from service.ingestion.files.ingesting import ingest
from service.ingestion.files.progress import ProgressNotes
from service.ingestion.letters import LETTERS, DeadLetters
from service.ingestion.pipeline import Patience, Pipeline
from service.writing.carrying import Operation
from service.writing.destination import Encoder

_PATIENCE = Patience(give_up_s=60.0)  # somebody waits for the command to end


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """Follows `service.writing.destination.Destination`."""

    store: Store
    encoder: Encoder | None


@dataclass(frozen=True, slots=True)
class Ingestion:
    """What came of files. errors: of those that could not be read to their ends. letters: the file of dead letters."""

    files: int
    figures: Figures
    errors: Sequence[str]
    letters: Path


def ingest_files(
    made: Plan,
    paths: Sequence[Path],
    operation: Operation,
    *,
    letters: Path | None,
    again: bool,
    progress: Progress,
    say: Say,
) -> Ingestion:
    """letters: where dead letters go, in the catalogue's folder by default. again: as in `ingest`.

    Raises ConfigurationError with everything that is wrong with the files before any is written, StoreError and
    LettersError.
    """
    encoder, figures = encoder_of(made), Figures()
    files = find(paths, made.schema, operation, encodes=encoder is not None, say=say)
    kept = DeadLetters(letters or made.folder / LETTERS)
    with ExitStack() as stack:
        store = open_catalogue(made, stack)
        fill(store, made, progress, say)
        pipeline = Pipeline(_Catalogue(store, encoder), kept, figures, Event(), _PATIENCE)
        errors = ingest(
            files, pipeline, ProgressNotes(store, operation), again=again, report=progress, say=say
        )
    return Ingestion(len(files), figures, errors, kept.path)
