"""The life of a PostgreSQL of our own: started, killed, started again, and nothing left of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from engines.base import EngineError
from engines.pgvector import local, segment

pytestmark = pytest.mark.usefixtures("installed")
ROOT = Path(__file__).parents[4]

_LAUNCH = """
import sys, time
from pathlib import Path
from engines.pgvector import local
with local.running(Path(sys.argv[1]), 2, 512 << 20) as server:
    print(server.pid, server.data, flush=True)
    time.sleep(120)
"""


def test_a_server_does_not_outlive_a_killed_process_nor_hinder_the_next(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _LAUNCH, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        pid, data = process.stdout.readline().split()
        server = psutil.Process(int(pid))
        family = [server, *server.children(recursive=True)]
        assert len(family) > 3
        process.send_signal(signal.SIGKILL)
    assert Path(data).exists()
    with local.running(tmp_path, 2, 512 << 20) as launched:
        assert launched.data == Path(data)
        _, alive = psutil.wait_procs(family, timeout=10)
        assert not alive
        assert psutil.pid_exists(launched.pid)
    assert not psutil.pid_exists(launched.pid)
    assert not launched.data.exists()


def test_a_long_path_and_a_stale_folder_are_no_hindrance(tmp_path: Path) -> None:
    folder = Path("/var/tmp") / f"bakeoff-test-{os.getpid()}" / ("long" * 30)
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "postmaster.pid").write_text("1\nstale\n")
    try:
        with local.running(folder, 2, 512 << 20) as launched:
            found = re.search(r"host=%2Ftmp%2Fbakeoff-\w+", launched.settings["URL"])
            assert found
            assert launched.data == folder / "data"
        assert not Path(found.group().removeprefix("host=").replace("%2F", "/")).exists()
    finally:
        subprocess.run(["rm", "-r", str(folder.parent)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands PostgreSQL over to another account")
def test_programs_that_the_other_account_cannot_reach_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_reachable", lambda path: False)
    with local.running(tmp_path, 2, 512 << 20) as launched:
        home = launched.data.parent
        assert Path(psutil.Process(launched.pid).exe()).is_relative_to(home)
    assert not home.exists()


def test_a_server_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "server_settings", lambda cpus, memory: {"shared_buffers": "lots"})
    with (
        pytest.raises(
            EngineError, match=r'did not start: .*invalid value for parameter "shared_buffers": "lots"'
        ),
        local.running(tmp_path, 2, 1 << 30),
    ):
        pass


def segments() -> set[str]:
    """The keys of the System V segments of this machine."""
    return {line.split()[0] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def test_a_server_that_was_killed_leaves_no_shared_memory(tmp_path: Path) -> None:
    with local.running(tmp_path, 2, 512 << 20) as launched:
        key = str(launched.data.stat().st_ino)
        assert key in segments()
        server = psutil.Process(launched.pid)
        for process in [server, *server.children(recursive=True)]:
            process.kill()
        psutil.wait_procs(server.children(recursive=True), timeout=10)
    assert key not in segments()


_ATTACH = """
import ctypes, os, sys, time
key, server, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
library = ctypes.CDLL(None)
library.shmat.restype = ctypes.c_void_p
assert library.shmat(library.shmget(key, 0, 0), None, 0) != ctypes.c_void_p(-1).value
print("attached", flush=True)
while os.path.exists(f"/proc/{server}"):
    time.sleep(0.01)
time.sleep(seconds)
"""


@contextmanager
def attached(key: int, server: int, seconds: float) -> Iterator[None]:
    """Another process has the server's shared memory, for as long after the server's end."""
    command = [sys.executable, "-c", _ATTACH, str(key), str(server), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "attached\n"
        try:
            yield
        finally:
            process.kill()


def test_a_server_that_was_killed_starts_again_once_all_have_let_go_of_its_memory(tmp_path: Path) -> None:
    with local.running(tmp_path, 2, 512 << 20) as launched:
        assert launched.kill_and_start is not None
        with attached(launched.data.stat().st_ino, launched.pid, seconds=1.0):
            again = launched.kill_and_start()
        assert again.pid != launched.pid
        assert psutil.pid_exists(again.pid)


def test_memory_that_is_not_let_go_of_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment, "_DETACHED_S", 0.2)
    with local.running(tmp_path, 2, 512 << 20) as launched:
        assert launched.kill_and_start is not None
        inode = launched.data.stat().st_ino
        with attached(inode, launched.pid, seconds=60.0):
            with pytest.raises(EngineError, match=r"did not start: .*shared memory block .* is still in use"):
                launched.kill_and_start()
            assert str(inode) in segments()
    assert str(inode) not in segments()
