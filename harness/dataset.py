"""Datasets: what a run measures on. The names other modules use; each is explained where it is defined."""

from __future__ import annotations

from harness.catalogue import list_datasets, load_dataset
from harness.datamodel import Attribute, Dataset
from harness.describe import describe

__all__ = ["Attribute", "Dataset", "describe", "list_datasets", "load_dataset"]
