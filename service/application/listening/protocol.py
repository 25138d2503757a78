"""HTTP as uvicorn speaks it, but for requests that are turned away before anything is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from service.application.listening.guarding import Guarded, Patience

# Method, target and headers of a request -> the answer to one that is turned away, None for any other.
Shed = Callable[[bytes, bytes, Iterable[tuple[bytes, bytes]]], bytes | None]


def shedding(shed: Shed, waits: Patience) -> type[Guarded]:
    """A protocol that asks `shed` first: a task and the objects of a request cost several times as much as a no."""

    class Shedding(Guarded):
        patience = waits
        _answer: bytes | None = None  # to the request whose body is being read

        def on_headers_complete(self) -> None:
            self.head_ended()
            # One that comes before the last was answered waits for that, and one that asks whether to send its body
            # gets no other answer before it has.
            later = self.expect_100_continue or not (self.cycle is None or self.cycle.response_complete)
            self._answer = None if later else shed(self.parser.get_method(), self.url, self.headers)
            if self._answer is None:
                super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            if self._answer is None:
                super().on_body(body)

        def on_message_complete(self) -> None:
            self.message_ended()
            answer, self._answer = self._answer, None
            if answer is None:
                super().on_message_complete()
                return
            self.transport.write(answer)
            if not self.parser.should_keep_alive():
                self.transport.close()
            self.on_response_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self._answer = None
            super().connection_lost(exc)

    return Shedding
