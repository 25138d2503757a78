"""`model.json`: what a model is, what it was trained on, and how good it is."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.data.split import Split
from models.features.stored import write_values
from models.training.config import TrainConfig
from models.training.job import Outcome
from models.training.judging import Judgement

MODEL, FORMAT = "model.json", 1


def write_model(
    folder: Path, config: TrainConfig, outcome: Outcome, judgement: Judgement, data: str
) -> dict[str, Any]:
    """Writes the encoder and then `model.json`, which makes the folder a model; its content. Raises MeasurementError.

    data: fingerprint of what it was trained on.
    """
    outcome.encoder.save(folder)
    content = {
        "kind": "bakeoff-model",
        "format": FORMAT,
        "name": config.name,
        "version": config.version,
        "hash": outcome.encoder.content_hash(),
        "dim": outcome.encoder.weights.dim,
        "data": {"fingerprint": data, **_described(outcome, outcome.prepared.split)},
        "configuration": config.model_dump(mode="json"),
        "epochs": [asdict(record) for record in outcome.records],
        "evaluation": judgement.to_json(),
    }
    write_values(folder / MODEL, content)
    return content


def _described(outcome: Outcome, split: Split) -> dict[str, Any]:
    prepared = outcome.prepared
    return {
        "items": len(prepared.items),
        "users": len(prepared.interactions.user_ids),
        "interactions": len(prepared.interactions),
        "left_out": dict(prepared.interactions.left_out),
        "notes": list(prepared.interactions.notes),
        "columns": [asdict(column) for column in prepared.items.columns],
        "features": {"missing": dict(prepared.features.missing), "unknown": dict(prepared.features.unknown)},
        "split": {
            "kind": split.kind,
            "why": split.why,
            "training": len(split.training.items),
            "validation": len(split.validation),
            "test": len(split.test),
            "left_out": dict(split.left_out),
        },
    }
