"""Listings from a topic into the catalogue, for as long as the service runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Any

from service.api.parts import Parts
from service.ingestion.figures import Figures
from service.ingestion.kafka.following import Following, Written
from service.ingestion.kafka.running import Running
from service.ingestion.letters import LETTERS, DeadLetters
from service.ingestion.pipeline import Pipeline


def following(
    parts: Parts, options: Mapping[str, Any], folder: Path, figures: Figures, written: Written
) -> Running:
    """Not started yet. folder: of the catalogue. The others as in `Following`. Raises ConfigurationError."""
    settings = parts.settings.ingest
    letters = DeadLetters(Path(settings.dead_letters) if settings.dead_letters else folder / LETTERS)
    stopping = Event()
    pipeline = Pipeline(parts, letters, figures, stopping)
    return Running(Following(settings.kafka, options, pipeline, written), stopping)
