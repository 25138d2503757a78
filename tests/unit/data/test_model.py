"""Which model made the vectors: read strictly, part of the fingerprint, shown, and handed to engines."""

from __future__ import annotations

import pytest

from harness.data.describe import describe
from harness.data.identity import ModelIdentity
from harness.data.stored.store import open_dataset
from tests.unit.data.user_data import Folder

MODEL = 'model: {name: tower, version: "3", hash: 0123456789abcdef}'


def test_a_model_is_read_shown_and_handed_to_engines(folder: Folder) -> None:
    plain = folder.load()
    folder.text("dataset.yaml", f"metric: l2\n{MODEL}\n")
    dataset = folder.load()
    assert dataset.model == ModelIdentity("tower", "3", "0123456789abcdef")
    assert dataset.schema.model == "tower@3#0123456789ab"
    assert dataset.head(10, 2).schema.model == "tower@3#0123456789ab"
    assert "\nmodel        tower, version 3, hash 0123456789abcdef\n" in describe(dataset)
    assert plain.model is None
    assert plain.schema.model == ""
    assert "model" not in describe(plain)


def test_the_fingerprint_follows_each_part_of_it(folder: Folder) -> None:
    prints = {folder.load().fingerprint}
    for name, version, digest in (("a", "1", "1"), ("b", "1", "1"), ("a", "2", "1"), ("a", "1", "2")):
        folder.text(
            "dataset.yaml",
            f"metric: l2\nmodel: {{name: {name}, version: '{version}', hash: '{digest * 12}'}}\n",
        )
        prints.add(folder.load().fingerprint)
        assert folder.load().fingerprint in prints
    assert len(prints) == 5


def test_what_was_stored_before_models_were_known_opens(folder: Folder) -> None:
    folder.load()
    (about,) = folder.cache.glob("*/dataset.json")
    text = about.read_text()
    assert ', "model": null' in text
    about.write_text(text.replace(', "model": null', ""))
    assert open_dataset(about.parent).model is None


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        ("tower", "model must be a valid dictionary or instance of ModelManifest, got 'tower'"),
        ("{name: a, hash: 0123456789ab}", "model.version is missing"),
        (
            "{name: a, version: 1.10, hash: 0123456789ab}",
            "model.version must be text, got 1.1; put it into quotes",
        ),
        (
            "{name: a, version: '1', hash: 123456789012}",
            "model.hash must be text, got 123456789012; put it into quotes",
        ),
        ("{name: a, version: '1', hash: abc}", "model.hash must match pattern"),
        ("{name: a b, version: '1', hash: 0123456789ab}", "model.name must match pattern"),
        ("{name: a, version: '1', hash: 0123456789ab, sha: x}", "model.sha is not a known key"),
    ],
)
def test_a_faulty_model_is_named_by_file_key_and_value(folder: Folder, model: str, problem: str) -> None:
    folder.text("dataset.yaml", f"metric: l2\nmodel: {model}\n")
    (told,) = folder.problems()
    assert told.startswith(f"dataset.yaml: {problem}")


def test_other_files_in_the_folder_change_nothing(folder: Folder) -> None:
    first = folder.load()
    folder.text("users.parquet", "no Parquet at all")
    folder.text("notes.txt", "x")
    assert folder.load().fingerprint == first.fingerprint
