"""Listings from a topic into the catalogue, for as long as the service runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event

from service.api.parts import Parts
from service.application.planning.plan import Plan
from service.indexing.live import LiveIndex
from service.indexing.sharing.shared import SharedIndex
from service.ingestion.figures import Figures
from service.ingestion.kafka.following import Following
from service.ingestion.kafka.running import Running
from service.ingestion.letters import LETTERS, DeadLetters
from service.ingestion.pipeline import Pipeline


def follow(
    parts: Parts, made: Plan, figures: Figures, index: LiveIndex | SharedIndex, stack: ExitStack
) -> None:
    """Begins to; `stack` ends it. made: a plan with a topic. Raises ConfigurationError."""
    assert made.kafka is not None
    settings, freshness = parts.settings.ingest, parts.telemetry.ingested_freshness
    index.subscribe(freshness.searchable)

    def written(seq: int, made_ms: Sequence[int]) -> None:
        if index.leads:  # others are not told what has become searchable
            freshness.durable(seq, [at_ms / 1000 for at_ms in made_ms])

    letters = DeadLetters(Path(settings.dead_letters) if settings.dead_letters else made.folder / LETTERS)
    stopping = Event()
    pipeline = Pipeline(parts, letters, figures, stopping)
    running = Running(Following(settings.kafka, made.kafka, pipeline, written), stopping)
    stack.callback(running.stop)
    running.start()
