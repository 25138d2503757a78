"""Whether a server is ready."""

from __future__ import annotations

import http.client
import socket

_ANSWER_S = 2.0  # how long a server may take to say whether it is ready
_HANG_UP_S = 0.5  # Docker's proxy closes a connection within this time where nothing listens yet


def is_ready(host: str, port: int, path: str | None) -> bool:
    """Whether a server accepts connections and, with a path, answers 200 there."""
    try:
        if path is None:
            return _stays_connected(host, port)
        connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return False


def _stays_connected(host: str, port: int) -> bool:
    """Whether a connection stays open: Docker's proxy accepts it first, and only then tries to reach the container."""
    with socket.create_connection((host, port), _ANSWER_S) as connection:
        connection.settimeout(_HANG_UP_S)
        try:
            return connection.recv(1) != b""
        except TimeoutError:  # the server waits for a request
            return True
