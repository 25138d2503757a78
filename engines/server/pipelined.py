"""`Pipelined` for adapters that put a query and read its answer apart, whatever carries both."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

from engines.abilities import Pipelined
from engines.base import EngineError, Hits, Vectors
from engines.filters import Filter

# Answers that `collect` takes in before it returns, at most about: hundreds come together after a stall, and what falls
# due meanwhile must not wait until all of them have been read.
AT_ONCE = 16


class Transport(Protocol):
    """Requests in flight to one server. For one thread."""

    def send(self, token: int, *request: Any) -> None:
        """Sends a request and returns. Raises EngineError where it cannot be sent."""

    def fileno(self) -> int:
        """Readable when `collect` may have something."""

    def collect(self) -> Sequence[tuple[int, Any]]:
        """Some of the answers, or EngineErrors, that have come in, each with its token. Never waits."""

    def close(self) -> None:
        """Closes it; what is in flight is never answered."""


class PipelinedQueries(Pipelined):
    """An engine whose queries go through a `Transport`, made when the first is sent."""

    _in_flight: Transport | None = None

    @abstractmethod
    def _transport(self) -> Transport:
        """A new one, to the collection that is open."""

    @abstractmethod
    def _asking(self, vector: Vectors, k: int, where: Filter | None) -> tuple[Any, ...]:
        """A query as the transport sends it. Raises as `query` does."""

    @abstractmethod
    def _answered(self, raw: Any) -> Hits:
        """The hits in an answer. Raises an exception for one that cannot be read."""

    @property
    def _flights(self) -> Transport:
        if self._in_flight is None:
            self._in_flight = self._transport()
        return self._in_flight

    def submit(self, token: int, vector: Vectors, k: int, where: Filter | None = None) -> None:
        self._flights.send(token, *self._asking(vector, k, where))

    def fileno(self) -> int:
        return self._flights.fileno()

    def collect(self) -> Sequence[tuple[int, Hits | Exception]]:
        answers: list[tuple[int, Hits | Exception]] = []
        for token, raw in self._flights.collect():
            try:
                answers.append((token, raw if isinstance(raw, EngineError) else self._answered(raw)))
            except Exception as error:  # noqa: BLE001  whatever `query` would raise
                answers.append((token, error))
        return answers

    def _end_flights(self) -> None:
        """To be called by `close`."""
        if self._in_flight is not None:
            self._in_flight.close()
            self._in_flight = None
