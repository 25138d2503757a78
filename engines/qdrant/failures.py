"""Failures between the adapter and a server: reported in one line, and retried where that can help."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import grpc  # type: ignore[import-untyped]
from httpx import HTTPError
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from engines.base import EngineError
from engines.http.client import HttpError
from engines.server.endpoint import variable
from engines.server.redaction import redact

T = TypeVar("T")
_PAUSES_S = (0.1, 0.5, 2.0)  # before each further attempt
_LONGEST_S = 60.0  # the longest wait that a server may ask for
_SHOWN = 500  # characters of a server's explanation

_CREDENTIALS = f"the credentials were refused; is {variable('qdrant', 'API_KEY')} the server's API key?"
_REMEDIES = {
    grpc.StatusCode.UNAVAILABLE: "is the server running, and are "
    f"{variable('qdrant', 'URL')} and {variable('qdrant', 'GRPC_PORT')} its address and its gRPC port?",
    grpc.StatusCode.DEADLINE_EXCEEDED: "it did not answer in time; is it overloaded?",
    grpc.StatusCode.UNAUTHENTICATED: _CREDENTIALS,
    grpc.StatusCode.PERMISSION_DENIED: _CREDENTIALS,
    grpc.StatusCode.UNIMPLEMENTED: "is the server old, or is that another server's port?",
}


class BusyError(EngineError):
    """The server cannot take the request now, or could not be reached: the same one may succeed later."""

    def __init__(self, message: str, after_s: float = 0.0) -> None:
        """after_s: how long the server asks to wait."""
        super().__init__(message)
        self.after_s = after_s


class Retries:
    """Sends writes again, all of which may be repeated, and counts how often. Safe in threads."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def attempt(self, call: Callable[[], T]) -> T:
        """The result of `call`, which is repeated while it raises BusyError, up to three times."""
        for pause_s in _PAUSES_S:
            try:
                return call()
            except BusyError as error:
                wait_s = max(pause_s, error.after_s)
                if wait_s > _LONGEST_S:
                    raise
                with self._lock:
                    self.count += 1
            time.sleep(wait_s)
        return call()


@contextmanager
def explained(server: str) -> Iterator[None]:
    """Turns the exceptions of Qdrant's client and of gRPC into EngineError, temporary ones into BusyError.

    server: as messages name it, without credentials.
    """
    try:
        yield
    except grpc.RpcError as error:
        raise of_grpc(server, error) from error
    except ResourceExhaustedResponse as error:
        raise BusyError(f"{server}: {_short(str(error))}", error.retry_after_s) from error
    except UnexpectedResponse as error:
        remedy = f"{_CREDENTIALS} " if error.status_code in (401, 403) else ""
        text = error.content.decode("utf-8", "replace") or error.reason_phrase
        raise EngineError(f"{server}: {remedy}HTTP {error.status_code}: {_short(text)}") from error
    except (ResponseHandlingException, HTTPError) as error:
        raise EngineError(
            f"{server}: {_short(str(error))}; {_REMEDIES[grpc.StatusCode.UNAVAILABLE]}"
        ) from error


def of_grpc(server: str, error: grpc.RpcError) -> EngineError:
    """The failure of a call as an EngineError with the cause and the remedy."""
    code, details = error.code(), _short(error.details() or "no explanation")
    remedy = _REMEDIES.get(code)
    text = f"{server}: {code.name}: {details}" + (f"; {remedy}" if remedy else "")
    if code not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED):
        return EngineError(text)
    asked = dict(error.trailing_metadata() or ()).get("retry-after", "")
    return BusyError(text, float(asked) if str(asked).isdecimal() else 0.0)


def of_http(error: EngineError) -> EngineError:
    """A failure of the HTTP client, as BusyError where the same request may succeed later."""
    broken = isinstance(error.__cause__, OSError) and not isinstance(
        error.__cause__, BlockingIOError | TimeoutError
    )
    busy = isinstance(error, HttpError) and error.status in (429, 503)
    return BusyError(str(error)) if broken or busy else error


def _short(text: str) -> str:
    return redact(" ".join(text.split()))[:_SHOWN]
