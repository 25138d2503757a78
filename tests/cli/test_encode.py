"""`bakeoff encode` as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.encoding.model import Model
from tests.cli.conftest import Shell
from tests.unit.models.data.made import write
from tests.unit.models.encoding.folders import listing_file, publish, write_model
from tests.unit.models.encoding.made import DIM
from tests.unit.models.features.catalogues import catalogue


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A folder with a model, and with files of listings, interactions and preferences."""
    folder = tmp_path_factory.mktemp("encode")
    publish(Model.load(write_model(folder / "made")), catalogue())
    listing_file(folder / "new.parquet", colour=["puce", *["red"] * 59], title=pa.nulls(60), tags=[[1]] * 60)
    write(
        folder / "taken.parquet",
        user_id=["a", "b", "a", "cold"],
        item_id=["item-1", "item-2", "item-3", "unheard of"],
        timestamp=["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-29T18:05:00Z"],
    )
    write(
        folder / "said.parquet",
        user_id=["b", "cold", "new", "vague"],
        size=["M", "L", "S", None],
        colour=[["red", "puce"], ["blue"], [], None],
    )
    return Shell(folder)


def _vectors(
    path: Path,
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], dict[str, list[Any]], dict[str, Any]]:
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"bakeoff"])
    vectors = np.stack(table.column("vector").to_numpy())
    return vectors, table.drop_columns("vector").to_pydict(), about


def test_new_listings_get_the_vectors_that_an_index_holds(made: Shell) -> None:
    done = made("encode", "made", "--listings", "new.parquet", "--out", "out/listings.parquet")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "60 listings, 10 dimensions: out/listings.parquet\n"
    model = Model.load(made.folder / "made")
    vectors, others, about = _vectors(made.folder / "out" / "listings.parquet")
    assert vectors.shape == (60, DIM + 2)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert others == {"item_id": catalogue().ids.tolist()}
    assert (about["of"], about["model"]["hash"]) == ("listings", model.identity.hash)
    lines = done.stderr.splitlines()
    assert lines[0] == f"{model.identity.label} of made"
    assert "new.parquet: 60 listings, 15 of them without an id that the model knows" in lines
    assert "colour: unknown to the model in 1 of 60 listings" in lines
    assert any(line.startswith("title + description: missing in ") for line in lines)
    assert "not read by the model: tags" in lines


def test_users_of_interactions_and_preferences(made: Shell) -> None:
    done = made(
        "encode",
        "made",
        "--users",
        "taken.parquet",
        "--preferences",
        "said.parquet",
        "--out",
        "users.parquet",
    )
    assert done.returncode == 0, done.stderr
    vectors, others, about = _vectors(made.folder / "users.parquet")
    assert others == {"user_id": ["a", "b", "cold", "new", "vague"], "history": [2, 1, 0, 0, 0]}
    assert vectors.shape == (5, DIM + 2)
    assert np.isfinite(vectors).all()
    assert about["of"] == "users"
    for line in (
        "histories of the 60 listings that the model was published with",
        "left out: 1 interactions of 1 items that are not in the catalogue (first in 'unheard of', row 3)",
        "colour: 1 words of preferences are unknown to the model",
        "ages count from the newest interaction, 2026-03-03T00:00:00+00:00",
        "5 users: 2 with a history, 3 with known preferences, 1 with neither, whose vector is the model's for nobody "
        "in particular",
    ):
        assert line in done.stderr.splitlines()


def test_histories_of_listings_of_a_file(made: Shell) -> None:
    """They are others than the model's: here without what colour and title said."""
    for name, more in (("ours", ()), ("theirs", ("--listings", "new.parquet"))):
        done = made("encode", "made", "--users", "taken.parquet", *more, "--out", f"{name}.parquet")
        assert done.returncode == 0, done.stderr
    ours, theirs = (_vectors(made.folder / f"{name}.parquet")[0] for name in ("ours", "theirs"))
    assert np.abs(ours[0] - theirs[0]).max() > 1e-3
    np.testing.assert_array_equal(ours[2], theirs[2])  # who took nothing of either


def test_users_of_preferences_alone(made: Shell) -> None:
    done = made("encode", "made", "--preferences", "said.parquet", "--out", "cold.parquet")
    assert done.returncode == 0, done.stderr
    assert _vectors(made.folder / "cold.parquet")[1]["history"] == [0, 0, 0, 0]


def test_everything_that_is_wrong_is_said_and_nothing_written(made: Shell, tmp_path: Path) -> None:
    (tmp_path / "there.parquet").write_text("mine")
    there = str(tmp_path / "there.parquet")
    done = made(
        "encode", "nowhere", "--listings", "new.parquet", "--preferences", "said.parquet", "--out", there
    )
    assert done.returncode == 104
    assert "error: --listings and --preferences cannot go into one file" in done.stderr
    assert f"error: {there}: exists already" in done.stderr
    assert "error: nowhere: no such folder" in done.stderr
    assert (tmp_path / "there.parquet").read_text() == "mine"
    listing_file(made.folder / "wrong.parquet", colour=None, price=["dear"] * 60)
    done = made("encode", "made", "--listings", "wrong.parquet", "--out", "wrong/out.parquet")
    assert done.returncode == 104
    assert "error: wrong.parquet: has no column 'colour'" in done.stderr
    assert (
        "error: wrong.parquet: column 'price': row 0 holds 'dear', which is no finite number" in done.stderr
    )
    assert not (made.folder / "wrong").exists()


def test_there_must_be_something_to_encode_and_a_place_for_it(made: Shell) -> None:
    done = made("encode", "made", "--out", "nothing.parquet")
    assert done.returncode == 104
    assert "name a file with --listings, --users or --preferences" in done.stderr
    done = made("encode", "made", "--listings", "new.parquet")
    assert done.returncode == 104
    assert "the following arguments are required: --out" in done.stderr


def test_a_training_that_has_not_ended_says_how_to_go_on(made: Shell, tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text("{}")
    done = made("encode", str(tmp_path), "--listings", "new.parquet", "--out", "unfinished.parquet")
    assert done.returncode == 104
    assert f"go on with it: bakeoff train CONFIGURATION --out {tmp_path} --resume" in done.stderr


def test_no_jax_is_loaded(made: Shell) -> None:
    code = (
        "import sys; from harness.cli.main import main;"
        "code = main(['encode', 'made', '--users', 'taken.parquet', '--listings', 'new.parquet', '--preferences',"
        " 'said.parquet', '--out', 'bare.parquet']);"
        "print([name for name in ('jax', 'jaxlib', 'flax', 'optax', 'orbax', 'torch') if name in sys.modules]);"
        "sys.exit(code)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=made.folder,
        env=made.environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "[]"
    assert (made.folder / "bare.parquet").exists()
