"""Where an engine's server comes from, and how its process tree is measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engines.base import Capabilities
from engines.bruteforce.adapter import BruteForce
from harness.machine.meters import OwnProcess, ProcessTree, Unmeasured
from harness.machine.usage import Cpu, Usage
from harness.scenario.specs import ContainerLimits, EngineSpec
from harness.servers import serving as servers
from harness.servers.serving import server_kind, serving

MIB = 2**20


class Distant(BruteForce):
    capabilities = Capabilities(server=True)


@pytest.fixture
def without_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in ("PGVECTOR", "QDRANT"):
        monkeypatch.delenv(f"BAKEOFF_{engine}_URL", raising=False)


@pytest.mark.usefixtures("without_urls")
@pytest.mark.parametrize(
    ("spec", "way"),
    [
        (EngineSpec(engine="pgvector"), "process"),
        (EngineSpec(engine="pgvector", server="container"), "container"),
        (EngineSpec(engine="qdrant"), "container"),
        (EngineSpec(engine="mine.module:Distant"), "url"),
    ],
)
def test_where_a_server_comes_from(spec: EngineSpec, way: str) -> None:
    assert server_kind(spec, Distant) == way


def test_a_url_comes_first_and_shows_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BAKEOFF_QDRANT_URL", "https://me:secret@db.example:6333")
    spec = EngineSpec(engine="qdrant", server="container")
    assert server_kind(spec, Distant) == "url"
    with serving(spec, Distant, ContainerLimits(), tmp_path, log=tmp_path / "log") as served:
        assert served.facts == {"server": {"run": "url", "url": "https://db.example:6333"}}
        assert isinstance(served.meter, Unmeasured)
        assert served.settings == {}


def test_a_malformed_url_is_refused_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BAKEOFF_QDRANT_URL", "https://db.example:6333?api_key=hush-hush")
    with pytest.raises(ValueError, match=r"^server: BAKEOFF_QDRANT_URL is no address") as raised:
        server_kind(EngineSpec(engine="qdrant"), Distant)
    assert "hush" not in str(raised.value)


def test_an_engine_from_outside_may_have_addresses_of_its_own_kind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = EngineSpec(engine="mine.module:Distant")
    monkeypatch.setenv("BAKEOFF_MINE.MODULE:DISTANT_URL", "me:hush-hush@db.example")
    with serving(spec, Distant, ContainerLimits(), tmp_path, log=tmp_path / "log") as served:
        assert served.facts["server"]["url"] == "***@db.example"


def test_engines_in_the_process_need_none(tmp_path: Path) -> None:
    with serving(
        EngineSpec(engine="bruteforce"), BruteForce, ContainerLimits(), tmp_path, log=tmp_path / "log"
    ) as served:
        assert isinstance(served.meter, OwnProcess)
    with pytest.raises(ValueError, match="server: bruteforce runs inside the process, remove the key"):
        server_kind(EngineSpec(engine="bruteforce", server="container"), BruteForce)


@pytest.mark.usefixtures("without_urls")
def test_what_cannot_be_started_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(servers, "compose_file", lambda engine: tmp_path / engine)
    with pytest.raises(
        ValueError, match=r"qdrant cannot be started as a process or container; set BAKEOFF_QDRANT_URL"
    ):
        server_kind(EngineSpec(engine="qdrant"), Distant)
    with pytest.raises(ValueError, match="qdrant cannot be started as a process; set"):
        server_kind(EngineSpec(engine="qdrant", server="process"), Distant)


def test_a_process_tree_is_measured_with_its_children(tmp_path: Path) -> None:
    (tmp_path / "stored").write_bytes(b"x" * MIB)
    child = "x = bytearray(60 << 20); [0 for _ in range(3_000_000)]; print(1, flush=True); input()"
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    with subprocess.Popen(
        [sys.executable, "-c", code, child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        meter = ProcessTree(server.pid, tmp_path)
        meter.start_peak()
        server.stdout.readline()
        used = meter.cpu_s()
        assert used is not None
        assert used > 0.05
        held = meter.rss_bytes()
        assert held is not None
        assert held > 60 * MIB
        assert (meter.peak_bytes() or 0) >= held
        assert meter.disk_bytes() == MIB
        server.stdin.close()
    assert meter.cpu_s() is None
    assert meter.rss_bytes() is None


def test_what_is_not_seen_has_a_reason() -> None:
    figures, reasons = Usage(Unmeasured()).figures(10)
    missing = {"cpu_s", "rss_peak_bytes", "rss_bytes", "rss_bytes_per_vector"}
    assert {name for name, value in figures.items() if value is None} == missing == set(reasons)
    assert figures["client_cpu_s"] is not None


def test_the_client_of_a_server_is_counted_apart() -> None:
    class Busy(Unmeasured):
        used = iter([10.0, 17.5])

        def cpu_s(self) -> float:  # type: ignore[override]
            return next(self.used)

    figures, reasons = Cpu(Busy()).figures()
    assert not reasons
    assert figures["cpu_s"] == 7.5
    assert figures["client_cpu_s"] is not None
    assert 0 <= figures["client_cpu_s"] < 7.5
    figures, _ = Cpu(OwnProcess()).figures()
    assert list(figures) == ["cpu_s"]
