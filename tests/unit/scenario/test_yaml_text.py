"""YAML that explodes, refers to itself, or holds what no setting can be: refused with its place, never a traceback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pydantic import BaseModel

from engines.bruteforce.adapter import BruteForce
from harness.errors import ConfigurationError
from harness.scenario.parameters import search_params
from harness.scenario.specs import load_scenario
from harness.scenario.yaml_text import YamlTextError, parse_yaml

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))
MERGED = "m0: &m0 {k: v}\n" + "".join(
    f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 10)}]}}\n" for i in range(1, 12)
)
REFUSED = {
    "bomb of aliases": (BOMB, "holds more than 100,000 values once its aliases are written out"),
    "bomb of merge keys": (MERGED, "holds more than 100,000 values"),
    "alias of itself": ("a: &a [*a]", "line 1 column 4: an alias stands for a value that contains it"),
    "deep": ("[" * 150 + "]" * 150, "is nested more than 100 levels deep"),
    "very deep": ("[" * 5000 + "]" * 5000, "is nested more than 100 levels deep"),
    "infinite": ("tasks: [{duration_s: .inf}]", "tasks[0].duration_s: must be a finite number, got inf"),
    "minus infinite": ("a: -.Inf", "a: must be a finite number, got -inf"),
    "not a number": ("a: {b: .NaN}", "a.b: must be a finite number, got nan"),
    "overflowing": ("a: 1.0e+999", "a: must be a finite number, got inf"),
    "5,000 digits": ("a: " + "9" * 5000, "holds a value that cannot be read"),
    "5,000 hexadecimal digits": ("a: 0x" + "f" * 5000, "a: must be a number that can be used"),
    "half a character": ('a: "x\\ud800"', r"a: 'x\ud800' is no valid Unicode"),
    "half a character in a key": ('a: {"\\udfff": 1}', r"a: key '\udfff' is no valid Unicode"),
    "a date": ("a: 2024-02-01", "a: datetime.date(2024, 2, 1) is a date in YAML; put it in quotes"),
    "no date": ("a: 2024-02-31", "cannot be read"),
    "binary": ("a: !!binary aGk=", "is a bytes in YAML"),
    "a set": ("a: !!set {x, y}", "is a set in YAML"),
    "tagged nonsense": ("a: !!int ''", "cannot be read"),
    "a foreign tag": ("a: !!python/object:os.system {}", "is not YAML: line 1 column 4: could not determine"),
    "a number as key": ("a: {5: x}", "a: key 5 must be text; put it in quotes"),
    "a key twice": ("a: {b: 1, b: 2}", "line 1 column 11: key 'b' occurs twice"),
    "a list as key": ("? [a]\n: b", "is not YAML: line 1 column 3: found unhashable key"),
    "octal": ("a: 010", "line 1 column 4: 010 would be another number in YAML"),
    "base 60": ("a: 1:30", "1:30 would be another number in YAML"),
    "base 60, a fraction": ("a: 1:30.5", "1:30.5 would be another number in YAML"),
    "no YAML": ("a: [", "is not YAML: line 1 column 5"),
    "control characters": ("a: \x00", "is not YAML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    text, told = REFUSED[name]
    start = time.process_time()
    with pytest.raises(YamlTextError) as caught:
        parse_yaml(text)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 400
    assert time.process_time() - start < 20  # written out, the bombs would take years


def test_what_is_read() -> None:
    shared = "base: &base {M: [16, 32], name: é}\ncopy: *base\nmerged: {<<: *base, M: 8}\nnothing:\nno: 0.5\n"
    base = {"M": [16, 32], "name": "é"}
    read = parse_yaml(shared.replace("no:", "'no':"))
    assert read == {"base": base, "copy": base, "merged": {"M": 8, "name": "é"}, "nothing": None, "no": 0.5}
    assert parse_yaml("") is None
    assert parse_yaml("[true, 1e3, 7, -0x1f]") == [True, "1e3", 7, -31]
    assert parse_yaml("[0, -0, 0.5, 1_000, '010', 0b11, 1.5e+3]") == [0, 0, 0.5, 1000, "010", 3, 1500.0]


@pytest.mark.parametrize(
    "text", ["name: x\nengines: *nobody\n", BOMB, "seed: -1", "a: .inf", 'description: "\\ud800"']
)
def test_a_scenario_file_is_refused_by_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_scenario(path)
    assert all(line.startswith(f"{path}: ") for line in caught.value.problems)
    assert caught.value.exit_code == 104


def test_infinity_written_as_text_is_no_number_either(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        "engines: [{engine: bruteforce}]\ntasks: [{task: index}, {task: search, name: s, duration_s: 1e999}]"
    )
    with pytest.raises(
        ConfigurationError, match=r"tasks\[1\].duration_s must be a finite number, got '1e999'"
    ):
        load_scenario(path)


def test_infinite_parameters_of_an_engine_are_refused() -> None:
    class Params(BaseModel):
        oversampling: float = 1.0

    class Sampled(BruteForce):
        IndexParams = SearchParams = Params

    assert search_params(Sampled, {"oversampling": 2}, "e") == Params(oversampling=2)
    with pytest.raises(
        ConfigurationError, match=r"engine e: search.oversampling must be a finite number, got 'inf'"
    ):
        search_params(Sampled, {"oversampling": "inf"}, "e")
