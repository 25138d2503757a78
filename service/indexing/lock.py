"""A lock that many may share, or one have alone; neither kind keeps the other waiting for longer than one turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class SharedLock:
    """Whoever comes to share it while somebody waits to have it alone goes after that one, but before the next such.

    Phase-fair in the sense of Brandenburg and Anderson, Reader-Writer Synchronization for Shared-Memory
    Multiprocessor Real-Time Systems (2009).
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._sharing = 0
        self._alone = False
        self._waiting_to_share = 0
        self._waiting_alone = 0
        self._turn = 0  # how often it has been had alone
        self._due = 0  # those who waited to share it when it was last given back

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Together with others who share it."""
        with self._changed:
            if self._alone or self._waiting_alone or self._due:
                self._wait_to_share()
            self._sharing += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharing -= 1
                if not self._sharing:
                    self._changed.notify_all()

    def _wait_to_share(self) -> None:
        turn = self._turn
        self._waiting_to_share += 1
        try:
            self._changed.wait_for(
                lambda: not self._alone and (self._turn != turn or not (self._waiting_alone or self._due))
            )
        finally:
            self._waiting_to_share -= 1
            if self._turn != turn and self._due:
                self._due -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While nobody else has it in any way."""
        with self._changed:
            self._waiting_alone += 1
            try:
                self._changed.wait_for(lambda: not (self._alone or self._sharing or self._due))
                self._alone = True
            finally:
                self._waiting_alone -= 1
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._turn += 1
                self._due = self._waiting_to_share
                self._changed.notify_all()
