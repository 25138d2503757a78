"""Damaged results: `report` and `gate` say what is wrong with which file, and never end in a traceback."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.cli.main import main
from tests.unit.example_results import ENGINES, build

# Small, since it is read some hundred times.
SOUND: dict[str, Any] = build(
    engines={name: ENGINES[name] for name in ("faiss-hnsw", "faiss-flat", "milvus")},
    filters={"none": 1.0, "1pct": 0.01},
).model_dump(mode="json")
JUNK = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=True)
    | st.sampled_from(["", "x", "\ud800", "\x1b[31m", "\u202e", "1e999", "a" * 5000, "../../etc/passwd"])
    | st.sampled_from([[], {}, [[]], [None], {"x": None}, {"": {"": []}}])
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything within a result."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in items:
        yield from places(held, (*path, key))


# Of many cells alike one in four is enough, so that the parts outside the cells are damaged as often.
PLACES = [p for p in places(SOUND) if p[0] != "measurements" or len(p) == 1 or p[1] % 4 == 0]
DAMAGE = st.lists(
    st.tuples(st.sampled_from(PLACES), st.just("drop") | st.tuples(JUNK)), min_size=1, max_size=3
)


def damaged(changes: list[tuple[tuple[Any, ...], Any]]) -> dict[str, Any]:
    result = copy.deepcopy(SOUND)
    for path, change in changes:
        holder: Any = result
        try:
            for key in path[:-1]:
                holder = holder[key]
            if change == "drop":
                del holder[path[-1]]
            else:
                holder[path[-1]] = change[0]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has taken it away
    return result


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and what was said; never a traceback, and nothing that steers a terminal."""
    code = main(arguments)
    out, err = capsys.readouterr()
    assert "Traceback" not in err, err
    assert not set(out + err) & set("\x1b\u202e\ud800")
    if code:
        assert err.startswith("error: "), err
    return code, err


def write(folder: Path, data: bytes | str | dict[str, Any]) -> str:
    folder.mkdir(exist_ok=True)
    if isinstance(data, dict):
        data = json.dumps(data)
    (folder / "result.json").write_bytes(
        data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    )
    return str(folder)


EXAMPLES = int(os.environ.get("BAKEOFF_FUZZ_EXAMPLES", "40"))
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW)
@given(DAMAGE)
def test_a_gate_on_damaged_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    sound, other = write(tmp_path / "sound", SOUND), write(tmp_path / "damaged", damaged(changes))
    for runs in ((sound, other), (other, sound)):
        code, said = outcome(capsys, "gate", *runs)
        assert code in (0, 1, 99, 104)
        assert code != 104 or "damaged" in said or "add --force" in said, said


@settings(max_examples=EXAMPLES // 4, deadline=None, suppress_health_check=SLOW)
@given(DAMAGE)
def test_a_report_on_damaged_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    code, said = outcome(capsys, "report", write(tmp_path / "damaged", damaged(changes)))
    assert code in (0, 1, 104)
    if code:
        assert str(tmp_path / "damaged") in said


@settings(max_examples=EXAMPLES // 8, deadline=None, suppress_health_check=SLOW)
@given(DAMAGE)
def test_tables_and_comparisons_of_damaged_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    sound, other = write(tmp_path / "sound", SOUND), write(tmp_path / "damaged", damaged(changes))
    target = str(tmp_path / "out")
    for form in ("csv", "json", "md", "parquet"):
        code, said = outcome(capsys, "results", other, "--format", form, "--out", target)
        assert code == 0 or (code == 104 and other in said), said
    for runs in ((sound, other), (other, sound)):
        code, said = outcome(capsys, "compare", *runs, "--out", str(tmp_path / "compared"))
        assert code == 0 or (code in (1, 104) and other in said), said


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW)
@given(st.integers(0, len(json.dumps(SOUND)) - 1), st.binary(max_size=4), st.booleans())
def test_files_that_are_cut_or_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], position: int, noise: bytes, cut: bool
) -> None:
    whole = json.dumps(SOUND).encode()
    data = whole[:position] + noise + (b"" if cut else whole[position + len(noise) :])
    code, said = outcome(capsys, "gate", write(tmp_path / "sound", SOUND), write(tmp_path / "cut", data))
    assert code in (0, 1, 99, 104)
    if cut and code == 104:
        assert str(tmp_path / "cut") in said


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe{}", "is not JSON|utf-8"),
        ("[" * 100_000, "is not JSON"),
        ('{"schema_version": ' + "9" * 5000 + "}", "is not JSON"),
        ("null", "schema_version"),
        ({"schema_version": 2}, "schema_version is 2"),
        ({"schema_version": "1"}, "schema_version is '1'"),
        ({"schema_version": True}, "schema_version is True"),
        (SOUND | {"measurements": {}}, "measurements"),
        (SOUND | {"environment": {"cores": float("nan")}}, "NaN"),
        (json.dumps(SOUND | {"environment": {"cores": 7}}).replace("7}", "1e999}"), "finite"),
        (SOUND | {"dataset": {"filters": 7}}, "no run of this version writes|filters"),
    ],
    ids=range(12),
)
@pytest.mark.parametrize("command", ["report", "gate", "compare"])
def test_every_damage_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, data: Any, reason: str
) -> None:
    folder = write(tmp_path / "damaged", data)
    others = {"gate": [folder], "compare": [folder, "--out", str(tmp_path / "out")]}
    code, said = outcome(capsys, command, folder, *others.get(command, []))
    assert code == 104
    assert str(folder) in said
    assert any(word in said for word in reason.split("|")), said
    assert len(said) < 2000


def test_figures_at_the_end_of_float64_are_told_without_warnings_of_numpy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = copy.deepcopy(SOUND)
    for cell in result["measurements"]:
        cell["metrics"] |= {name: 1e308 for name, value in cell["metrics"].items() if value}
    folder = write(tmp_path / "huge", result)
    code, said = outcome(capsys, "report", folder)
    assert "RuntimeWarning" not in said
    assert code == 104 and folder in said and said.count("\n") == 1
    assert outcome(capsys, "gate", folder, folder)[0] in (0, 99, 104)


def test_a_folder_in_the_place_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "result.json").mkdir()
    code, said = outcome(capsys, "report", str(tmp_path))
    assert code == 104
    assert "result.json" in said


def test_a_sound_result_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = write(tmp_path / "sound", SOUND)
    assert outcome(capsys, "report", sound)[0] == 0
    assert outcome(capsys, "gate", sound, sound)[0] == 0


def test_control_characters_of_an_older_result_are_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = copy.deepcopy(SOUND)
    for number, cell in enumerate(result["measurements"]):
        if number % 2:
            cell["error"] = "\x1b[2J \ud800 \u202e"
    result["notes"] = ["\x07\x9b"]
    folder = write(tmp_path / "old", result)
    assert outcome(capsys, "report", folder)[0] == 0
    page = (tmp_path / "old" / "report.html").read_text("utf-8")
    assert "\\x1b[2J \\ud800 \\u202e" in page
    assert not set(page) & set("\x1b\u202e\x07\x9b")


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (("dataset",), {}),
        (("environment",), {"fingerprint": []}),
        (("scenario",), {"name": 7}),
        (("engines",), {"bruteforce": {}}),
        (("engines",), {"bruteforce": {"version": ["x"], "client": 3}}),
        (("measurements", 0, "params"), {"index": {"M": {"": []}}}),
        (("measurements", 0, "engine"), "nobody"),
        (("measurements", 0, "trial"), -(10**30)),
        (("notes",), None),
        (("finished_at",), "yesterday"),
        (("started_at",), ""),
    ],
    ids=str,
)
def test_a_damaged_run_is_not_resumed_or_measured_again(
    finished: Any, tmp_path: Path, place: tuple[Any, ...], change: Any
) -> None:
    shell, _ = finished
    result = json.loads((shell.folder / "runs" / "latest" / "result.json").read_text())
    holder = result
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = change
    folder = write(tmp_path / "damaged", result)
    before = (tmp_path / "damaged" / "result.json").read_bytes()
    done = shell(
        "run", "tiny.yaml", "--out", folder, "--resume"
    )  # which sees to it that there is no traceback
    assert done.returncode in (0, 104), done.stderr
    if done.returncode:
        assert "error: " in done.stderr
        assert (tmp_path / "damaged" / "result.json").read_bytes() == before
