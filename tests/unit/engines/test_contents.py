"""What a collection says it holds: written, read again, and compared with what is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

from engines.base import EngineError, Field, Schema
from engines.values import disk
from engines.values.contents import contents, require_contents

SCHEMA = Schema(2, "l2", (Field("größe\n#", "keyword"), Field("price", "integer")))
FIRST, SECOND = (replace(SCHEMA, model=f"tower@{number}#0123456789ab") for number in (1, 2))
UNNAMED = "a model that is not named"


class Params(BaseModel):
    size: int


ONE = Params(size=1)


def test_it_is_a_line_of_ascii_that_can_stand_in_a_comment() -> None:
    line = contents(replace(FIRST, model="größe@1#\n"), ONE)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    require_contents("here", line, replace(FIRST, model="größe@1#\n"), ONE)


@pytest.mark.parametrize(
    ("made", "held"), [(SCHEMA, UNNAMED), (FIRST, f"model {FIRST.model}"), (SECOND, f"model {SECOND.model}")]
)
def test_vectors_of_another_model_are_refused_by_both_names(made: Schema, held: str) -> None:
    line = contents(made, ONE)
    require_contents("here", line, made, ONE)
    told = {SCHEMA: UNNAMED, FIRST: f"model {FIRST.model}", SECOND: f"model {SECOND.model}"}
    for asked in told.keys() - {made}:
        with pytest.raises(
            EngineError, match=f"^here holds vectors of {held}, not of {told[asked]}, .*: create it again"
        ):
            require_contents("here", line, asked, ONE)


@pytest.mark.parametrize("found", [None, "", "made by this harness", "[1]", "{}", '{"model": ""}'])
def test_what_says_nothing_of_its_model_is_refused(found: str | None) -> None:
    for asked, named in ((FIRST, f"model {FIRST.model}"), (SCHEMA, UNNAMED)):
        with pytest.raises(EngineError, match=f"^here does not say which model .* {named}: create it again$"):
            require_contents("here", found, asked, ONE)


def test_another_schema_or_index_is_refused() -> None:
    line = contents(FIRST, ONE)
    for schema, params in ((replace(FIRST, dim=3), ONE), (FIRST, Params(size=2))):
        with pytest.raises(EngineError, match=r"holds another collection, create it again: .*size=1"):
            require_contents("here", line, schema, params)


def test_a_directory_knows_its_collection(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="holds no collection, create one first"):
        disk.verify(tmp_path, FIRST, ONE)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").write_bytes(b"x" * 5000)
    assert disk.used_bytes(tmp_path) >= 5000
    disk.begin(tmp_path, FIRST, ONE)
    assert not (tmp_path / "old").exists()
    disk.begin(tmp_path, FIRST, ONE)
    disk.verify(tmp_path, FIRST, ONE)
    with pytest.raises(EngineError, match=f"model {FIRST.model}, not of model {SECOND.model}"):
        disk.verify(tmp_path, SECOND, ONE)
    (tmp_path / "index").write_bytes(b"x")
    (tmp_path / "collection.json").unlink()
    with pytest.raises(EngineError, match=rf"by its collection\.json\) does not say .* model {FIRST.model}"):
        disk.verify(tmp_path, FIRST, ONE)
