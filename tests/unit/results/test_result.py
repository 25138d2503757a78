"""Result files: written whole or not at all, read with clear refusals."""

from __future__ import annotations

import json
import os
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.errors import ConfigurationError, MeasurementError
from harness.results.files import append_line, write_json, write_text
from harness.results.result import Measurement, RunResult, read_result
from harness.results.samples import (
    ERROR,
    OK,
    TIMEOUT,
    Samples,
    concatenate,
    error_summary,
    write_samples,
)
from harness.results.writing import ResultWriter, write_result

RESULT = RunResult(
    name="r",
    started_at="2026-01-01T00:00:00+00:00",
    environment={},
    dataset={},
    scenario={},
    measurements=[
        Measurement(
            engine="e", adapter="e", task="t", kind="search", metrics={"recall_at_10": 0.5, "x": None}
        )
    ],
)


CELL = '{"engine": "e", "adapter": "e", "task": "t", "kind": "search", "metrics": {"x": 0.5}}'


def whole(**changes: str) -> str:
    """A result file as JSON, some of its values replaced."""
    values = {
        "schema_version": "1",
        "name": '"r"',
        "started_at": '"2026"',
        "environment": "{}",
        "dataset": "{}",
        "scenario": "{}",
    }
    return "{" + ", ".join(f'"{key}": {value}' for key, value in (values | changes).items()) + "}"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_result(tmp_path, RESULT)
    assert read_result(tmp_path) == RESULT
    assert read_result(tmp_path / "result.json") == RESULT
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    write_result(tmp_path, RESULT)
    before = (tmp_path / "result.json").read_bytes()
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "result.json", {"x": float("nan")})  # a NaN is never a figure
    assert (tmp_path / "result.json").read_bytes() == before
    with pytest.raises(MeasurementError, match=r"cannot be written \(Not a directory\); make its folder"):
        write_json(Path("/dev/full/x"), {})


@pytest.mark.parametrize("name", ["result.json", "cells.jsonl"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_pipes_and_devices_are_no_results(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "result.json").write_text(whole(cells_file='"cells.jsonl"'))
    (tmp_path / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(tmp_path / name)
    else:
        (tmp_path / name).symlink_to("/dev/zero")  # it has no end
    with pytest.raises(
        ConfigurationError, match=rf"{name}: cannot be read: is a pipe or a device, not a file"
    ):
        read_result(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "is not JSON"),
        ("[]", "schema_version is None"),
        ('{"schema_version": 99}', "schema_version is 99"),
        ('{"schema_version": true}', "schema_version is True"),
        ('{"schema_version": 1}', "name"),
        ("[" * 100_000, "is not JSON"),
        ('{"schema_version": ' + "9" * 5000 + "}", "is not JSON"),
        (b'{"name": "\xff"}', "is not JSON"),
        ('{"schema_version": 1, "x": NaN}', "NaN is not a number that JSON knows"),
        (whole(environment='{"x": 1e999}'), "not finite"),
        (whole(environment='{"x": Infinity}'), "Infinity is not a number"),
        (whole(measurements='[{"engine": "e"}]'), "measurements.0.adapter Field required"),
        (whole(measurements=f"[{CELL.replace('0.5', '1e999')}]"), "measurements.0.metrics.x .*finite"),
        (whole(engines='{"e": 1}'), "engines.e Input should be a valid dictionary"),
        (whole(cells_file='"cells.jsonl"'), "cells.jsonl beside it, which is missing"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str | bytes, expected: str) -> None:
    (tmp_path / "result.json").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigurationError, match=expected):
        read_result(tmp_path)


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="such as runs/latest"):
        read_result(tmp_path / "nowhere")


def test_a_key_tells_cells_apart() -> None:
    cell = RESULT.measurements[0]
    changes = {"engine": "f", "task": "u", "filter": "g", "trial": 1, "params": {"search": {"ef": 1}}}
    others = [cell.model_copy(update={key: value}) for key, value in changes.items()]
    assert len({cell.key, *(other.key for other in others)}) == 6
    assert cell.model_copy(update={"metrics": {}}).key == cell.key
    json.loads(cell.key)


def samples(start: int, n: int, error: str) -> Samples:
    times = np.arange(start, start + n, dtype=np.int64) * 1000
    status = np.array([OK] * (n - 1) + [TIMEOUT], dtype=np.int64)
    ids = np.arange(n * 2, dtype=np.int64).reshape(n, 2)
    lengths = np.full(n, 2, dtype=np.int64)
    return Samples(
        times, times + 10, times + 30, np.arange(n), np.zeros(n, np.int64), status, ids, lengths, {error: 1}
    )


def test_samples_of_several_clients_are_merged_in_the_order_they_were_due(tmp_path: Path) -> None:
    merged = concatenate([samples(10, 3, "a"), samples(0, 4, "b"), samples(5, 1, "a")])
    assert len(merged) == 8
    assert (np.diff(merged.scheduled_ns) >= 0).all()
    assert merged.errors == {"a": 2, "b": 1}
    assert set(merged.latency_ns) == {30}
    assert set(merged.service_time_ns) == {20}
    assert set(merged.lateness_ns) == {10}
    write_samples(tmp_path / "s.parquet", merged)
    table = pq.read_table(tmp_path / "s.parquet")
    assert table["ids"].to_pylist() == merged.ids.tolist()
    assert table["status"].to_pylist() == merged.status.tolist()


def failing(start: int, errors: dict[str, int]) -> Samples:
    n = sum(errors.values())
    made = samples(start, n, "")
    return replace(made, status=np.full(n, ERROR, dtype=np.int64), errors=errors)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ([samples(0, 3, "")], None),
        ([failing(0, {"refused": 3})], "refused (3 times)"),
        ([failing(0, {"broken": 1, "refused": 1_200})], "first: broken; most frequent: refused (1,200 of 1,201 times)"),
        ([failing(0, {"refused": 5, "broken": 1})], "first and most frequent: refused (5 of 6 times)"),
        # The client that failed first is not the first in the list.
        (
            [failing(90, {"refused": 7}), samples(0, 4, ""), failing(20, {"broken": 1, "refused": 2})],
            "first: broken; most frequent: refused (9 of 10 times)",
        ),
    ],
)  # fmt: skip
def test_what_failed_is_told_by_the_first_and_the_most_frequent_error(
    parts: list[Samples], told: str | None
) -> None:
    merged = concatenate(
        [replace(part, errors={k: v for k, v in part.errors.items() if k}) for part in parts]
    )
    assert error_summary(merged.errors) == told


def cell(number: int) -> Measurement:
    return Measurement(
        engine="e", adapter="e", task="t", kind="search", filter=f"f{number}", metrics={"x": number / 7}
    )


def written_bytes() -> int:
    """What this process has written so far, as the kernel counts it."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))


def test_a_save_does_not_grow_with_the_cells_before_it(tmp_path: Path) -> None:
    writer = ResultWriter(tmp_path, RESULT)
    costs = []
    for number in range(1000, 3000):
        before = written_bytes()
        writer.save_cell(cell(number))
        costs.append(written_bytes() - before)
    assert len(read_result(tmp_path).measurements) == 2001
    assert max(costs) < 2 * min(costs) < 1000
    many = RESULT.model_copy(update={"measurements": [cell(number) for number in range(1000)]})
    before = written_bytes()
    write_result(tmp_path, many)  # as a save of the whole would cost
    assert written_bytes() - before > 100 * max(costs)


def test_a_run_under_way_is_read_at_any_moment(tmp_path: Path) -> None:
    writer = ResultWriter(tmp_path, RESULT)
    assert read_result(tmp_path) == RESULT
    writer.save_cell(cell(1))
    writer.save_header(RESULT.model_copy(update={"notes": ["n"]}))
    grown = RESULT.model_copy(update={"measurements": [*RESULT.measurements, cell(1)], "notes": ["n"]})
    assert read_result(tmp_path) == grown
    assert read_result(tmp_path / "result.json") == grown
    before = (tmp_path / "cells.jsonl").read_bytes()
    writer.close(grown)
    assert read_result(tmp_path) == grown
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
    # Killed between the last two steps: the whole result counts, whatever is beside it.
    (tmp_path / "cells.jsonl").write_bytes(before[: len(before) // 2])
    assert read_result(tmp_path) == grown


def test_a_cell_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    writer = ResultWriter(tmp_path, RESULT)
    for number in (1, 2):
        writer.save_cell(cell(number))
    path = tmp_path / "cells.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    last = lines[-1]
    for length in range(len(last)):
        path.write_bytes(b"".join([*lines[:-1], last[:length]]))
        kept = 3 if length == len(last) - 1 else 2  # only the line's end is missing
        assert len(read_result(tmp_path).measurements) == kept
    path.write_bytes(b"".join(lines[:-1]) + b"\0" * 50)  # as some file systems leave it after a power cut
    assert len(read_result(tmp_path).measurements) == 2
    path.write_bytes(b"".join([lines[0], last[:20], b"\n", last]))
    with pytest.raises(ConfigurationError, match=r"cells.jsonl: line 2 is not JSON"):
        read_result(tmp_path)
    path.write_bytes(b"".join([lines[0], b'{"engine": 3}\n']))
    with pytest.raises(
        ConfigurationError, match=r"cells.jsonl: line 2: engine Input should be a valid string"
    ):
        read_result(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigurationError, match=r"cells.jsonl: cannot be read"):
        read_result(tmp_path)


def test_a_line_that_cannot_be_written_leaves_the_ones_before_it(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    append_line(path, "one")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(MeasurementError, match="File too large"):
            append_line(path, "two is too long")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == "one\n"
    append_line(path, "three")
    assert path.read_text() == "one\nthree\n"
    with pytest.raises(MeasurementError, match="cannot be written"):
        append_line(tmp_path / "nowhere" / "lines", "one")


def test_text_that_utf8_cannot_hold_is_written_as_its_escape(tmp_path: Path) -> None:
    write_text(tmp_path / "text", "caf\xe9 \udc80")
    assert (tmp_path / "text").read_text(encoding="utf-8") == "caf\xe9 \\udc80"
