"""`bakeoff run SCENARIO --dataset MINE` measures the filters that the data set brings."""

from __future__ import annotations

import json

from harness.results.result import read_result
from tests.cli.conftest import Shell
from tests.cli.results import cells


def test_data_named_on_the_command_line_has_its_own_filters_measured(shell: Shell) -> None:
    tasks = [{"task": "index"}, {"task": "search", "name": "s", "duration_s": 0.1}]
    filters = [{"name": "none"}, {"name": "few", "selectivity": 0.1, "column": "price"}]
    bruteforce = [{"engine": "bruteforce"}]
    name = shell.scenario(
        "other", tasks=tasks, filters=filters, trials=1, engines=bruteforce, dataset="nowhere"
    )
    lines = [json.dumps({"price": {"gte": number}}) for number in range(30)]
    (shell.folder / "mine" / "filters.jsonl").write_text("\n".join(lines))
    done = shell("run", name, "--dataset", "mine")
    assert done.returncode == 0, done.stderr
    assert (
        "Filters: none, few, and those that the data set brings (dataset:...), which --dataset adds"
        in done.stderr
    )
    result = read_result(shell.folder / "runs" / "latest")
    brought = {cell.filter for cell in cells(result, kind="search")} - {"none", "few"}
    assert brought and all(filter_.startswith("dataset:") for filter_ in brought)
    # What names its data set in its file says all of its filters there.
    done = shell("run", shell.scenario("own", tasks=tasks, filters=filters, trials=1, engines=bruteforce))
    assert "Filters:" not in done.stderr
    result = read_result(shell.folder / "runs" / "latest")
    assert {cell.filter for cell in cells(result, kind="search")} == {"none", "few"}
