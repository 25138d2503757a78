"""Where an engine's CPU seconds, memory and disk are read: this process, a server's process tree, a container."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, Protocol

import psutil

from harness.machine import resources

SAMPLE_S = 0.2  # between two readings of a server's memory; a shorter peak may be missed


class Meter(Protocol):
    """What an engine uses. Figures are None where they cannot be had; `reason` says why.

    Picklable until `start_peak`: it is made by the run and read by the session.
    """

    separate: bool  # the engine runs outside this process, which then is the client's alone
    reason: str

    def cpu_s(self) -> float | None:
        """CPU seconds, user and system, that the engine has used so far."""

    def rss_bytes(self) -> int | None:
        """Memory it holds now."""

    def start_peak(self) -> None:
        """Begins to watch for the peak of memory."""

    def peak_bytes(self) -> int | None:
        """The peak since `start_peak`, and the end of watching."""

    def disk_bytes(self) -> int | None:
        """What it keeps on disk, as seen from outside; None where only the engine itself knows."""


class OwnProcess:
    """An engine inside this process (and its children)."""

    separate = False
    reason = "the kernel does not report peak memory (no /proc)"

    def __init__(self) -> None:
        self._peak = resources.PeakMemory()

    def cpu_s(self) -> float:
        return resources.cpu_s()

    def rss_bytes(self) -> int:
        return resources.rss_bytes()

    def start_peak(self) -> None:
        self._peak.start()

    def peak_bytes(self) -> int | None:
        return self._peak.bytes()

    def disk_bytes(self) -> None:
        return None


@dataclass(slots=True)
class _Sampled:
    """A peak found by sampling, for engines without a high-water mark that can be reset."""

    _stop: Event | None = field(default=None, init=False, repr=False)
    _thread: Thread | None = field(default=None, init=False, repr=False)
    _peak: int | None = field(default=None, init=False, repr=False)

    def rss_bytes(self) -> int | None:
        raise NotImplementedError

    def start_peak(self) -> None:
        self._stop, self._peak = Event(), self.rss_bytes()
        self._thread = Thread(target=self._watch, args=(self._stop,), daemon=True)
        self._thread.start()

    def _watch(self, stop: Event) -> None:
        while not stop.wait(SAMPLE_S):
            self._note(self.rss_bytes())

    def _note(self, seen: int | None) -> None:
        if seen is not None:
            self._peak = max(seen, self._peak or 0)

    def peak_bytes(self) -> int | None:
        assert self._stop is not None, "start_peak() comes first"
        assert self._thread is not None
        self._stop.set()
        self._thread.join()
        self._note(self.rss_bytes())
        return self._peak


@dataclass(slots=True)
class ProcessTree(_Sampled):
    """A server's processes, by the id of their root. Memory they share is counted once (PSS)."""

    pid: int
    data: Path

    separate = True
    reason = "the server's processes cannot be read"

    def _tree(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(self.pid)
            return [root, *root.children(recursive=True)]
        return []

    def cpu_s(self) -> float | None:
        """With what its ended children had used: the kernel adds that to their parent."""
        total, seen = 0.0, False
        for process in self._tree():
            with contextlib.suppress(psutil.Error):
                total, seen = total + sum(process.cpu_times()[:4]), True
        return total if seen else None

    def rss_bytes(self) -> int | None:
        total = 0
        for process in self._tree():
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
        return total or None

    def disk_bytes(self) -> int | None:
        return _allocated(self.data)


def _allocated(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):  # a server removes files while they are counted
            total += file.lstat().st_blocks * 512 if file.is_file() else 0
    return total


@dataclass(slots=True)
class Container(_Sampled):
    """A container, through the Docker engine's interface. Memory is the working set: without the page cache that
    the kernel could drop at once, as `docker stats` shows it.
    """

    id: str
    data: str  # the path of its data, inside
    _client: Any = field(default=None, init=False, repr=False)

    separate = True
    reason = "the Docker engine does not report it"

    def __del__(self) -> None:
        if self._client is not None:
            self._client.close()

    def _stats(self) -> dict[str, Any]:
        if self._client is None:
            import docker

            self._client = docker.from_env()
        with contextlib.suppress(Exception):  # a container that has ended; its cells report it
            stats: dict[str, Any] = self._client.api.stats(self.id, stream=False, one_shot=True)
            return stats
        return {}

    def cpu_s(self) -> float | None:
        used = self._stats().get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage")
        return None if used is None else used / 1e9

    def rss_bytes(self) -> int | None:
        memory = self._stats().get("memory_stats", {})
        if "usage" not in memory:
            return None
        details = memory.get("stats", {})
        return int(memory["usage"]) - int(details.get("inactive_file", details.get("total_inactive_file", 0)))

    def disk_bytes(self) -> int | None:
        with contextlib.suppress(Exception):
            done = self._client.containers.get(self.id).exec_run(["du", "-sk", self.data])
            if done.exit_code == 0:
                return int(done.output.split()[0]) * 1024
        return None


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A server that runs elsewhere."""

    separate = True
    reason = "the server was not started by this run, what it uses cannot be seen from here"

    def cpu_s(self) -> None:
        return None

    def rss_bytes(self) -> None:
        return None

    def start_peak(self) -> None:
        return None

    def peak_bytes(self) -> None:
        return None

    def disk_bytes(self) -> None:
        return None
