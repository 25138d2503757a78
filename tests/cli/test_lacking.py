"""A data set with tags and gaps through a whole run: engines that hold them, one that cannot, two that get it wrong."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from harness.results.result import read_result
from tests.cli.conftest import Shell

ROWS = 400
FILTERS = [
    {"colour": "red"},
    {"colour": {"all": ["red", "blue"]}},
    {"not": {"colour": ["red", "green"]}},
    {"colour": {"exists": False}},
    {"not": {"size": "S"}},
    {"size": {"exists": True}, "stock": {"gte": 3}},
    {"or": [{"stock": {"exists": False}}, {"stock": {"lt": 2}}]},
    {},
]
RIGHT = ["bruteforce", "faiss", "qdrant-edge"]
WRONG = ["LacksNothing", "FirstTagOnly"]


def write(shell: Shell) -> None:
    folder = shell.folder / "lacking"
    folder.mkdir()
    rng = np.random.default_rng(5)
    np.save(folder / "vectors.npy", rng.standard_normal((ROWS, 8)).astype(np.float32))
    np.save(folder / "queries.npy", rng.standard_normal((80, 8)).astype(np.float32))
    colours = np.array(["blue", "green", "red"])
    table = {
        "colour": [sorted(colours[rng.random(3) < 0.4].tolist()) for _ in range(ROWS)],
        "size": [None if one < 0.3 else "SML"[int(one * 10) % 3] for one in rng.random(ROWS)],
        "stock": pd.array([None if one == 0 else one for one in rng.integers(0, 6, ROWS).tolist()], "Int64"),
    }
    pd.DataFrame(table).to_parquet(folder / "attributes.parquet")
    lines = [json.dumps(FILTERS[query % len(FILTERS)]) for query in range(80)]
    (folder / "filters.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "dataset.yaml").write_text("metric: l2\n")


def test_tags_and_gaps_are_measured_and_wrong_answers_to_them_are_seen(shell: Shell) -> None:
    write(shell)
    engines = [{"engine": name} for name in RIGHT]
    engines += [{"engine": f"tests.cli.lacking_engines:{name}"} for name in ["HoldsNoTags", *WRONG]]
    scenario = shell.scenario(
        "gaps",
        dataset="lacking",
        trials=1,
        engines=engines,
        filters=[
            {"name": "none"},
            {"name": "own", "from_dataset": True},
            {"name": "tag", "keyword": "colour"},
        ],
        tasks=[
            {"task": "index"},
            {"task": "search", "name": "closed", "duration_s": 0.2, "warmup_s": 0},
            {"task": "updates", "upserts": 40, "deletes": 40},
            {"task": "durability", "items": 60},
        ],
    )
    done = shell("run", scenario, "--out", "out")
    result = read_result(shell.folder / "out")
    by_engine = {
        name: [cell for cell in result.measurements if cell.engine.endswith(name)]
        for name in [*RIGHT, "HoldsNoTags", *WRONG]
    }
    assert done.returncode == 1, done.stderr  # an engine has not a single cell without an error
    for name in RIGHT:
        for cell in by_engine[name]:
            if cell.kind == "durability" and name == "bruteforce":
                continue
            assert cell.error is None, (name, cell.error)
            for count in ("violations", "ghosts", "missed_updates", "reopened_lost"):
                assert not cell.metrics.get(count), (name, cell.task, count)
    assert {cell.error for cell in by_engine["HoldsNoTags"] if cell.kind == "index"} == {
        "unsupported: it cannot hold tags, several keywords of one item (colour)"
    }
    for name in WRONG:
        (index,) = [cell for cell in by_engine[name] if cell.kind == "index"]
        assert "its exact mode reaches recall" in (index.error or ""), (name, index.error)
