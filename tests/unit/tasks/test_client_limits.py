"""What of a figure is the client's: its share of its processors, how many processes it takes, remembered answers."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engines.base import Capabilities
from harness.results.samples import Samples
from harness.scenario.tasks import SearchTask
from harness.tasks.search import client_limits
from harness.tasks.search.client_limits import client_flags, client_share, count_processes, repeat_flags


@pytest.mark.parametrize(
    ("used_s", "processes", "share"), [(1.9, 2, 0.95), (1.0, 2, 0.5), (0.5, 1, 0.5), (None, 1, None)]
)
def test_the_share_is_of_one_processor_for_each_process(
    used_s: float | None, processes: int, share: float | None
) -> None:
    assert client_share({"client_cpu_s": used_s}, processes, 1.0) == share


def test_a_busy_client_is_flagged_and_one_with_room_is_not() -> None:
    assert client_flags({"client_cpu_share": 0.93}) == ["client-bound 93%"]
    assert client_flags({"client_cpu_share": 0.7}) == []
    assert client_flags({}) == []
    assert client_flags({"client_cpu_share": 0.99}, spinning=True) == []


def test_remembered_answers_are_flagged_only_where_queries_were_asked_again() -> None:
    again: dict[str, float | None] = {"queries": 500.0, "distinct_queries": 70.0}
    assert repeat_flags(again, 4.2) == ["remembered 4.2 times as fast"]
    assert repeat_flags(again, 1.3) == []
    assert repeat_flags(again, None) == []
    once: dict[str, float | None] = {"queries": 70.0, "distinct_queries": 70.0}
    assert repeat_flags(once, 4.2) == []
    assert repeat_flags(once, 4.2, asked_before=True) == ["remembered 4.2 times as fast"]


def samples(count: int) -> Samples:
    """Requests answered at once, evenly over half a second."""
    at_ns = np.linspace(0, 5e8, count).astype(np.int64)
    zero = np.zeros(count, dtype=np.int64)
    ids = np.zeros((count, 1), dtype=np.int64)
    return Samples(at_ns, at_ns, at_ns, zero, zero, zero, ids, zero, window_ns=(0, 500_000_000))


class Server:
    """A server that answers `most` requests a second; each client process can send `each`, and is busy as it does."""

    def __init__(self, each: float, most: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[int] = []
        server = self

        class Probe:
            def __init__(self, _bench: Any, task: Any, _cell: Any, processes: int, _rate: object) -> None:
                self.task, self.processes = task, processes

            def measure(self, duration_s: float, _warm: Callable[[], None]) -> tuple[Samples, None]:
                server.asked.append(self.processes)
                rate = min(each * self.processes, most)
                server.share = rate / (each * self.processes)
                server.used_s = server.share * duration_s * self.processes
                return samples(int(rate * duration_s)), None

        class Used:
            def __init__(self, _meter: object) -> None: ...

            def restart(self) -> None: ...

            def figures(self) -> tuple[dict[str, float | None], dict[str, str]]:
                return {"client_cpu_s": server.used_s}, {}

        monkeypatch.setattr(client_limits, "Window", Probe)
        monkeypatch.setattr(client_limits, "Cpu", Used)
        monkeypatch.setattr(client_limits.os, "sched_getaffinity", lambda _: range(8))

    def chosen(self, clients: int = 16, **capabilities: bool) -> int:
        task = SearchTask(task="search", name="s", clients=clients, processes="auto")
        bench: Any = SimpleNamespace(
            meter=SimpleNamespace(separate=True),
            engine=SimpleNamespace(capabilities=Capabilities(multi_process=True, **capabilities)),
            processes={},
        )
        window: Any = SimpleNamespace(task=task, cell=None, rate=None)
        first = count_processes(bench, window)
        asked = list(self.asked)
        assert count_processes(bench, window) == first  # found out once
        assert self.asked == asked
        return first


def test_a_slow_server_takes_one_client_process(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(each=2000, most=500, monkeypatch=monkeypatch)
    assert server.chosen() == 1
    assert server.asked == [1]


def test_processes_are_added_until_the_server_is_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(each=1000, most=3000, monkeypatch=monkeypatch)
    assert server.chosen() == 4
    assert server.asked == [1, 2, 4]


def test_what_adds_nothing_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(each=1000, most=1010, monkeypatch=monkeypatch)
    assert server.chosen() == 1
    assert server.asked == [1, 2]


def test_there_are_no_more_processes_than_clients_or_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Server(each=1000, most=1e9, monkeypatch=monkeypatch).chosen(clients=2) == 2
    assert Server(each=1000, most=1e9, monkeypatch=monkeypatch).chosen(clients=64) == 8
