"""The command line as a user runs it: a new process, a folder of one's own data, a small scenario."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]

SCENARIO: dict[str, Any] = {
    "name": "tiny",
    "dataset": "mine",
    "k": 5,
    "trials": 2,
    "engines": [
        {"engine": "bruteforce"},
        {"engine": "faiss", "label": "hnsw", "index": {"kind": "hnsw"}, "search": {"efSearch": [16, 128]}},
    ],
    "filters": [{"name": "none"}, {"name": "brand", "keyword": "brand"}],
    "tasks": [
        {"task": "index"},
        {"task": "search", "name": "closed", "duration_s": 0.1, "warmup_s": 0},
        {
            "task": "search",
            "name": "open",
            "executor": "arrival_rate",
            "rate": 100,
            "duration_s": 0.2,
            "warmup_s": 0,
            "params": "operating_point",
            "filters": ["brand"],
        },
        {"task": "updates", "upserts": 20, "deletes": 20},
    ],
    "decision": {"requirements": ["recall >= 0.9", "violations == 0"]},
}


@dataclass(frozen=True)
class Shell:
    """A working folder with `mine` (data) and `tiny.yaml` (a scenario), and a way to run commands in it.

    draws: whether runs draw their report, which takes longer than measuring does here.
    """

    folder: Path
    draws: bool = False
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def drawing(self) -> Shell:
        """The same, and its runs draw their reports."""
        return replace(self, draws=True)

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "BAKEOFF_CACHE": str(self.folder / "cache"),
            "PYTHONPATH": str(REPOSITORY),
            "COLUMNS": "120",
        }

    def command(self, *arguments: str) -> list[str]:
        quick = ["--no-report"] if arguments[:1] == ("run",) and not self.draws else []
        return [sys.executable, "-m", "harness.cli", *arguments, *quick]

    def start(
        self, *arguments: str, env_changes: Mapping[str, str] = MappingProxyType({}), **options: Any
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment() | dict(env_changes),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            **options,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """Ends what a failed test has left running, which would disturb the tests after it."""
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.communicate(timeout=60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.communicate()

    def __call__(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=240)
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def scenario(self, name: str = "tiny", **changes: Any) -> str:
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(SCENARIO | {"name": name} | changes))
        return path.name


def write_data(folder: Path, rows: int = 300, queries: int = 30, dim: int = 8) -> Path:
    rng = np.random.default_rng(7)
    folder.mkdir()
    np.save(folder / "vectors.npy", rng.normal(size=(rows, dim)).astype(np.float32))
    np.save(folder / "queries.npy", rng.normal(size=(queries, dim)).astype(np.float32))
    brands = rng.choice(["Aster", "Bär & Söhne", 'O"Neil\\'], rows)
    prices = rng.lognormal(3.3, 0.5, rows)
    pd.DataFrame({"brand": brands, "price": prices}).to_parquet(folder / "attributes.parquet")
    (folder / "dataset.yaml").write_text("metric: l2\n")
    return folder


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    write_data(tmp_path / "mine")
    shell = Shell(tmp_path)
    shell.scenario()
    yield shell
    shell.end()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, subprocess.CompletedProcess[str]]:
    """One finished run, for the tests that only read it."""
    folder = tmp_path_factory.mktemp("finished")
    write_data(folder / "mine")
    shell = Shell(folder, draws=True)
    return shell, shell("run", shell.scenario())


Runner = Callable[..., subprocess.CompletedProcess[str]]
