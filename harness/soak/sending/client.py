"""One connection to the service."""

from __future__ import annotations

import json
from typing import Any

from geventhttpclient import HTTPClient


class Client:
    """One connection to the service."""

    def __init__(self, host: str, key: str, timeout_s: float) -> None:
        self._headers = {"content-type": "application/json"}
        if key:
            self._headers["authorization"] = f"Bearer {key}"
        self._http = HTTPClient.from_url(
            host, concurrency=1, connection_timeout=timeout_s, network_timeout=timeout_s
        )

    def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and JSON of the answer. Raises OSError and what the HTTP client raises; ValueError for no JSON."""
        content = b"" if body is None else json.dumps(body).encode()
        answer = self._http.request(method, path, content, self._headers)
        return answer.status_code, json.loads(answer.read())

    def close(self) -> None:
        self._http.close()
