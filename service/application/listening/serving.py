"""Listening: a socket before anything is built, requests once everything is, and an end that loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import math
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
import uvloop
from starlette.types import ASGIApp

from harness.errors import ConfigurationError
from service.application.listening.guarding import Patience
from service.application.listening.protocol import Shed, shedding


def listening(host: str, port: int) -> socket.socket:
    """A socket bound to the address; port 0: a free one. Raises ConfigurationError where that cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ConfigurationError(f"port: {_refusal(host, port, error)}") from error
    return bound


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{port} of {host} is in use; stop what listens there, or choose another with --port (0: a free one)"
    if error.errno == errno.EACCES:
        return f"{port} of {host} needs privileges; choose one above 1023"
    return f"cannot listen on {host}:{port}: {error.strerror or error}; correct host or port"


def address(bound: socket.socket) -> str:
    """The URL of a socket that is bound."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    app: ASGIApp,
    bound: socket.socket,
    *,
    shed: Shed,
    patience: Patience,
    stop_s: float,
    ready: Callable[[], None],
) -> None:
    """Answers requests until SIGTERM or SIGINT, then those under way; a second signal drops them.

    shed: turns requests away before the application has them. patience: with what clients send. ready:
    called once requests are answered.
    """
    config = uvicorn.Config(
        app,
        http=shedding(shed, patience),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # nothing here depends on who asks, and a header may say anything
        timeout_graceful_shutdown=math.ceil(stop_s),
    )
    server = _Server(config, ready)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(sockets=[bound]))


class _Server(uvicorn.Server):
    """Says when it is ready, and ends by signals without raising them again once it has."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
