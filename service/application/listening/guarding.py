"""HTTP as uvicorn speaks it, but for clients that send without end or not at all: they are told so and left."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


@dataclass(frozen=True, slots=True)
class Patience:
    """head_bytes: of address and headers; head_s, body_s: how long it may take until they, and the body, are there."""

    head_bytes: int = 65_536
    head_s: float = 10.0
    body_s: float = 60.0


class Guarded(HttpToolsProtocol):
    """uvicorn itself reads a head of any size, and waits for ever: neither may cost the service its memory."""

    patience: ClassVar[Patience] = Patience()
    _head_bytes: int | None = 0  # of the head that is being read; None where it is whole
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes what calls itself a transport."""
        super().connection_made(transport)
        self._wait(self.patience.head_s)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._head_bytes = 0
        self._wait(self.patience.head_s)

    def head_ended(self) -> None:
        """A body, or nothing more, is waited for."""
        self._head_bytes = None
        self._wait(self.patience.body_s)

    def message_ended(self) -> None:
        """Nothing is waited for; how long a connection may be idle is uvicorn's."""
        self._wait(None)

    def data_received(self, data: bytes) -> None:
        """Raises nothing."""
        super().data_received(data)
        if self._head_bytes is None or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > self.patience.head_bytes:
            most = f"{self.patience.head_bytes:,} bytes"
            self._leave(
                "431 Request Header Fields Too Large", f"address and headers may have {most} together"
            )

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._wait(None)
        super().connection_lost(exc)

    def _wait(self, for_s: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if for_s is None else self.loop.call_later(for_s, self._late, for_s)

    def _late(self, after_s: float) -> None:
        if self.flow.read_paused:  # it is the service that lets the client wait
            self._wait(after_s)
        else:
            self._leave("408 Request Timeout", f"the request was not whole after {after_s:g} s")

    def _leave(self, status: str, why: str) -> None:
        self._wait(None)
        head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
        self.transport.write(f"{head}content-length: {len(why)}\r\n\r\n{why}".encode())
        self.transport.close()
