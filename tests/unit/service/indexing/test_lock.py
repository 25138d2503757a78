"""Sharing and having alone, and neither starves the other; and the lock of a folder."""

from __future__ import annotations

import errno
import fcntl
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event
from time import monotonic, sleep

import pytest

from service.database.errors import StoreError
from service.indexing.lock import SharedLock
from service.indexing.status import FolderLock

LONG_S = 10.0


def until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + LONG_S
    while not condition():
        assert monotonic() < deadline
        sleep(0.001)


def test_it_is_shared_by_many_at_once() -> None:
    lock, together = SharedLock(), Barrier(4)

    def share() -> None:
        with lock.shared():
            together.wait(LONG_S)  # nobody passes before all are here

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: share(), range(4)))


def test_whoever_has_it_alone_is_alone() -> None:
    lock = SharedLock()
    inside = {"shared": 0, "alone": 0}
    wrong = []

    def use(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(200):
            kind = "alone" if rng.random() < 0.3 else "shared"
            with lock.alone() if kind == "alone" else lock.shared():
                inside[kind] += 1
                if inside["alone"] > 1 or (inside["alone"] and kind == "shared"):
                    wrong.append(seed)
                if kind == "alone":
                    sleep(0)
                    if inside["shared"] or inside["alone"] != 1:
                        wrong.append(seed)
                inside[kind] -= 1

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(use, range(6)))
    assert not wrong


def test_one_that_waits_to_have_it_alone_goes_before_those_who_come_later_and_not_twice() -> None:
    """Shared, then alone, then shared, then alone are asked for in this order, and had in this order."""
    lock, order = SharedLock(), list[str]()
    let = Event()

    def share(name: str) -> None:
        with lock.shared():
            order.append(name)
            if name == "first":
                assert let.wait(LONG_S)

    def alone(name: str) -> None:
        with lock.alone():
            order.append(name)

    with ThreadPoolExecutor(4) as threads:
        used = [threads.submit(share, "first")]
        until(lambda: order == ["first"])
        used.append(threads.submit(alone, "alone"))
        until(lambda: lock._waiting_alone == 1)
        used.append(threads.submit(share, "second"))
        until(lambda: lock._waiting_to_share == 1)
        used.append(threads.submit(alone, "alone again"))
        until(lambda: lock._waiting_alone == 2)
        let.set()
        for future in used:
            future.result(LONG_S)
    assert order[0] == "first"
    assert order.index("second") == 2  # between the two


def test_a_folder_that_cannot_be_locked_is_not_taken_for_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    for folder, said in ((tmp_path, "No locks available"), (tmp_path / "lock" / "below", "Not a directory")):
        with pytest.raises(StoreError, match=f"cannot be locked.*{said}.*name one on a disk"):
            FolderLock(folder).take()
