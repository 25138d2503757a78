"""The model folder: towers and features, `model.json` with what it is and how good it is, and a dataset for engines."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.data.identity import ModelIdentity
from models.data.split import Split
from models.encoding.model import DATASET, FORMAT, KIND, MODEL
from models.features.stored import write_values
from models.publishing.writing import Published, write_dataset
from models.training.config import TrainConfig
from models.training.job import Outcome
from models.training.judging import Judgement


def write_model(
    folder: Path, config: TrainConfig, outcome: Outcome, judgement: Judgement, data: str
) -> Published:
    """Writes all of it, `model.json` last; what was written for engines. data: fingerprint of what it was trained on.

    Raises ConfigurationError, DatasetError and MeasurementError.
    """
    outcome.encoder.save(folder)
    identity = ModelIdentity(config.name, config.version, outcome.encoder.content_hash())
    published = publish(folder / DATASET, config, outcome, identity)
    content = {
        "kind": KIND,
        "format": FORMAT,
        **asdict(identity),
        "dim": outcome.encoder.weights.dim,
        "popularity_of_newcomers": float(outcome.encoder.weights.popularity[0]),
        "data": {"fingerprint": data, **_described(outcome, outcome.prepared.split)},
        "configuration": config.model_dump(mode="json"),
        "epochs": [asdict(record) for record in outcome.records],
        "evaluation": judgement.to_json(),
        "dataset": _counts(published),
    }
    write_values(folder / MODEL, content)
    return published


def publish(folder: Path, config: TrainConfig, outcome: Outcome, identity: ModelIdentity) -> Published:
    """Writes the listings, and the users of the test cases as queries, as a dataset. Raises as `write_dataset`."""
    prepared, encoder = outcome.prepared, outcome.encoder
    cases = prepared.split.test
    return write_dataset(
        folder,
        prepared.items,
        encoder.indexed(outcome.nearest.listings, prepared.features.ids),
        cases,
        encoder.queries(outcome.nearest.users(cases)),
        user_ids=prepared.interactions.user_ids,
        identity=identity,
        popularity=outcome.nearest.popularity,
        options=config.dataset,
    )


def _counts(published: Published) -> dict[str, Any]:
    filters = published.filters
    return {
        "items": published.items,
        "left_out": published.left_out,
        "queries": published.queries,
        "cases": published.cases,
        "filters": {
            "filtered": filters.filtered,
            "without_history": filters.without_history,
            "unknown": filters.unknown,
            "loosened": dict(filters.loosened),
            "dropped": filters.dropped,
        },
    }


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
