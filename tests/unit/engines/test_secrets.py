"""What real clients say of a server that repeats their request to them: never a credential, nor a control character."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from engines.base import Schema
from engines.registry import load
from harness.run.from_engines import error_text

PASSWORD, API_KEY = "pa@ss/w?rd#7", "k3y-of-the-server"


class Echo(BaseHTTPRequestHandler):
    """Refuses every request, with the request itself, its headers and its credentials as the explanation."""

    def refuse(self) -> None:
        said = f"\x1b[31m{self.path} {self.headers} {PASSWORD!r} {quote(PASSWORD, safe='')} {API_KEY}\u202e"
        body = f'{{"error": {{"type": "no", "reason": "{said}"}}}}'.encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = refuse  # noqa: N815

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Prints nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def refusal(engine: str, folder: Path) -> str:
    """What a cell of a run would say."""
    kind = load(engine)
    adapter = kind(folder, kind.IndexParams())
    with pytest.raises(Exception, match=r".") as raised:
        adapter.create(Schema(4, "l2"))
    adapter.close()
    return error_text(raised.value)


ENGINES = ("elasticsearch", "opensearch", "vespa", "qdrant", "milvus", "pgvector")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("given", ["URL", "variables"])
def test_no_client_gives_a_credential_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: int, engine: str, given: str
) -> None:
    scheme, name = ("postgresql" if engine == "pgvector" else "http"), engine.upper()
    place = f"me:{quote(PASSWORD, safe='')}@127.0.0.1" if given == "URL" else "127.0.0.1"
    monkeypatch.setenv(f"BAKEOFF_{name}_URL", f"{scheme}://{place}:{port}/x")
    monkeypatch.delenv("BAKEOFF_VESPA_CONFIG_URL", raising=False)
    monkeypatch.setenv("BAKEOFF_QDRANT_GRPC_PORT", str(port))
    monkeypatch.setenv(f"BAKEOFF_{name}_API_KEY", API_KEY)
    if given == "variables":
        monkeypatch.delenv(f"BAKEOFF_{name}_API_KEY")
        monkeypatch.setenv(f"BAKEOFF_{name}_USER", "me")
        monkeypatch.setenv(f"BAKEOFF_{name}_PASSWORD", PASSWORD)
    said = refusal(engine, tmp_path)
    assert "127.0.0.1" in said
    for secret in (PASSWORD, quote(PASSWORD, safe=""), *((API_KEY,) if given == "URL" else ())):
        assert secret not in said
    assert "bWU6cGFAc3M" not in said  # me:pa@ss in Base64, as it begins in the header
    assert not set(said) & set("\x1b\u202e")
