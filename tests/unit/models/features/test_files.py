"""A feature encoder in files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.errors import ConfigurationError, MeasurementError
from models.features.encoder import FeatureEncoder
from models.features.files import content_hash, load, save
from models.features.options import FeatureOptions, TextKind
from tests.unit.models.features.catalogues import catalogue, taken


def fitted(text: TextKind = "hashed", seed: int = 0) -> FeatureEncoder:
    return FeatureEncoder.fit(catalogue(seed=seed), taken(), FeatureOptions(text=text, text_dim=6))


@pytest.mark.parametrize("text", ["hashed", "none", "wordllama"])
def test_what_is_loaded_encodes_as_what_was_saved(text: TextKind, tmp_path: Path) -> None:
    if text == "wordllama":
        pytest.importorskip("wordllama", reason="wordllama is not installed")
    encoder = fitted(text)
    save(encoder, tmp_path / "model" / "features")
    loaded = load(tmp_path / "model" / "features")
    assert loaded.sizes == encoder.sizes
    assert content_hash(loaded) == content_hash(encoder)
    before, after = encoder.encode(catalogue()), loaded.encode(catalogue())
    for name in ("ids", "categories", "numbers", "text"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    assert (after.missing, after.unknown) == (before.missing, before.unknown)
    assert sorted(path.name for path in (tmp_path / "model" / "features").iterdir()) == [
        "features.json",
        "features.npz",
    ]


def test_ids_keep_their_type(tmp_path: Path) -> None:
    ids = np.array([*range(59), 2**70], object)
    save(FeatureEncoder.fit(replace(catalogue(), ids=ids), np.ones(60, np.int64)), tmp_path)
    assert load(tmp_path).ids == tuple(ids.tolist())
    ids = np.array([f"{number:03}" for number in range(60)], object)
    save(FeatureEncoder.fit(replace(catalogue(), ids=ids), np.ones(60, np.int64)), tmp_path)
    assert load(tmp_path).ids == tuple(ids.tolist())


def test_the_hash_is_that_of_the_content() -> None:
    assert content_hash(fitted()) == content_hash(fitted())
    others = [fitted(seed=1), fitted("none"), FeatureEncoder.fit(catalogue(), taken() * 0, fitted().options)]
    assert len({content_hash(one) for one in [fitted(), *others]}) == 4


def test_saving_again_writes_the_same_bytes(tmp_path: Path) -> None:
    save(fitted(), tmp_path / "a")
    save(fitted(), tmp_path / "b")
    for name in ("features.json", "features.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def one_array(folder: Path) -> None:
    np.save(folder / "array.npy", np.arange(3))
    (folder / "array.npy").replace(folder / "features.npz")


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no values": (lambda folder: (folder / "features.json").unlink(), r"features\.json: cannot be read"),
    "no arrays": (lambda folder: (folder / "features.npz").unlink(), r"features\.npz: cannot be read"),
    "a folder": (
        lambda folder: ((folder / "features.npz").unlink(), (folder / "features.npz").mkdir()),
        r"features\.npz: cannot be read",
    ),
    "cut values": (
        lambda folder: (folder / "features.json").write_bytes((folder / "features.json").read_bytes()[:-9]),
        r"features\.json: is damaged or no JSON",
    ),
    "cut arrays": (
        lambda folder: (folder / "features.npz").write_bytes((folder / "features.npz").read_bytes()[:-9]),
        r"features\.npz: is damaged or no file of arrays",
    ),
    "no bytes": (lambda folder: (folder / "features.npz").write_bytes(b""), r"features\.npz: is damaged"),
    "a flipped bit": (lambda folder: flip(folder / "features.npz"), r"features\.npz: is damaged"),
    "one array": (one_array, r"npz: is damaged"),
    "a pickle": (
        lambda folder: np.savez(folder / "features.npz", matrix=np.array([{}], object)),
        r"features\.npz: is damaged .*allow_pickle",
    ),
    "other arrays": (
        lambda folder: np.savez(folder / "features.npz", matrix=np.arange(3)),
        r"or that of features\.npz beside it, is not what was saved",
    ),
    "another id": (
        lambda folder: edit(folder / "features.json", ids=["x"]),
        r"features\.json: its content, or that",
    ),
    "a list": (
        lambda folder: (folder / "features.json").write_text("[]"),
        r"must hold keys and values, holds list",
    ),
    "a foreign file": (
        lambda folder: (folder / "features.json").write_text("{}"),
        r"json: is no file of features",
    ),
    "a newer version": (
        lambda folder: edit(folder / "features.json", version=2),
        r"json: version must be 1, got 2",
    ),
    "an unknown key": (
        lambda folder: edit(folder / "features.json", extra=2),
        r"json: extra is not a known key",
    ),
    "an infinite scale": (
        lambda folder: edit(folder / "features.json", numbers={"price": {"low": float("inf")}}),
        r"json: numbers\.price\.low must be a finite number",
    ),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    save(fitted(), folder)
    return folder


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_and_foreign_files_are_named(kind: str, saved: Path, tmp_path: Path) -> None:
    damage, message = DAMAGE[kind]
    folder = tmp_path / "model"
    shutil.copytree(saved, folder)
    load(folder)
    damage(folder)
    with pytest.raises(ConfigurationError, match=message) as raised:
        load(folder)
    assert str(folder) in str(raised.value)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MeasurementError, match=r"file/features\.npz: cannot be written"):
        save(fitted(), tmp_path / "file")
