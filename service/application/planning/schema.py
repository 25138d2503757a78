"""What the catalogue's listings consist of: by the data set, the model, and what the settings add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engines.base import Field, Schema
from engines.columns import Value
from harness.errors import ConfigurationError
from service.catalogue.schema import CatalogueSchema
from service.settings.model import CatalogueSettings

if TYPE_CHECKING:
    from harness.data.dataset import Dataset
    from models.encoding.model import Model

_MANIFEST = "dataset.yaml"
LISTED = "listed_ms"  # as models.publishing.columns calls it


def schema_of(
    settings: CatalogueSettings,
    dataset: Dataset | None,
    model: Model | None,
    fill: Mapping[str, Value],
    *,
    engine_text: bool,
) -> CatalogueSchema:
    """fill: what stands in for missing values in the data set. engine_text: whether the engine ranks by words.

    Raises ConfigurationError with every problem.
    """
    problems = _problems(settings, dataset, model)
    if problems:
        raise ConfigurationError(problems)
    found = dataset.schema if dataset is not None else _own(settings, model)
    carried = () if dataset is None else tuple(one.name for one in dataset.attributes if one.kind == "text")
    details = tuple(dict.fromkeys([*carried, *settings.details]))
    texts = settings.texts or carried
    label = model.identity.label if model is not None else found.model
    text = texts[0] if texts and engine_text else None
    return CatalogueSchema(
        replace(found, model=label, text=text),
        {name: value for name, value in fill.items() if found.field(name) is not None} | settings.fill,
        details,
        settings.required,
        texts,
        settings.seller,
        settings.brand,
        settings.listed_at or _listed(found),
        settings.longest_keyword,
        settings.picture,
    )


def _listed(found: Schema) -> str | None:
    """The field that says when a listing was listed in the data sets that training writes."""
    field = found.field(LISTED)
    return LISTED if field is not None and field.kind == "integer" else None


def _own(settings: CatalogueSettings, model: Model | None) -> Schema:
    dim = settings.dim or _dim(model) or 0
    fields = tuple(Field(name, one.kind, one.optional) for name, one in settings.fields.items())
    return Schema(dim, settings.metric or "cosine", fields)


def _problems(settings: CatalogueSettings, dataset: Dataset | None, model: Model | None) -> list[str]:
    problems = []
    dim = _dim(model)
    if dataset is not None:
        problems += [
            f"catalogue.{key}: follows the data set '{dataset.name}'; leave it out"
            for key in ("dim", "metric", "fields")
            if getattr(settings, key)
        ]
        if model is not None and dataset.model is not None and not dataset.model.is_same(model.identity):
            problems.append(
                f"dataset: the vectors of '{dataset.name}' are by {dataset.model.label}, the model is "
                f"{model.identity.label}; name the model that made them, or encode the listings again"
            )
        wanted = dataset.vectors.shape[1]
    elif settings.dim is None and dim is None:
        return [
            "catalogue.dim: is missing, and neither a data set nor a model says it; name one of them (--dataset, "
            "--model), as at the first start"
        ]
    else:
        wanted = settings.dim or dim or 0
    if dim is not None and dim != wanted:
        problems.append(
            f"model: makes vectors of {dim} dimensions, the catalogue's have {wanted}; name a model that fits"
        )
    return problems


def _dim(model: Model | None) -> int | None:
    if model is None:
        return None
    encoder = model.encoder
    return int(encoder.queries(encoder.weights.user.empty[None]).shape[1])


def fill_of(ref: str | None) -> Mapping[str, Value]:
    """What stands in for missing values in a user's folder. Raises ConfigurationError."""
    path = None if ref is None else Path(ref) / _MANIFEST
    if path is None or not path.is_file():
        return {}
    from harness.data.manifest import read_user_manifest

    return read_user_manifest(path, {}).fill
