"""Keys, commands for who runs the service, and its description."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.service.launch import Service, command, environment, running
from tests.service.shop import ROWS, document


def done(folder: Path, *options: str, **more: str) -> tuple[int, str, str]:
    found = subprocess.run(
        command("service", *options),
        cwd=folder,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return found.returncode, found.stdout, found.stderr


def test_keys_are_good_for_their_scopes(folder: Path) -> None:
    entries, keys = [], {}
    for name, scopes in (("shop", ["read"]), ("feed", ["read", "write"]), ("boss", ["admin"])):
        chosen = [part for scope in scopes for part in ("--scope", scope)]
        code, shown, _ = done(folder, "key", name, *chosen)
        assert code == 0
        entry, keys[name] = shown.splitlines()
        entries.append(entry)
    (folder / "keys.yaml").write_text("keys:\n" + "\n".join(entries) + "\n")
    with running(folder, "--dataset", "shop", "--config", "service.yaml", "--keys", "keys.yaml") as service:

        def status(method: str, path: str, key: str | None, body: Any = None) -> int:
            headers = {} if key is None else {"authorization": f"Bearer {key}"}
            return service.ask(method, path, body, headers).status

        assert status("GET", "/healthz", None) == status("GET", "/readyz", None) == 200
        one = "/v1/listings/listing%2F1"
        assert [status("GET", one, key) for key in (None, "wrong", keys["boss"], keys["shop"])] == [
            401,
            401,
            403,
            200,
        ]
        assert [status("PUT", "/v1/listings/new", keys[name], document()) for name in keys] == [403, 200, 403]
        assert status("POST", "/v1/index:check", keys["feed"]) == 403
        challenge = service.ask("GET", one)
        assert challenge.headers["www-authenticate"] == "Bearer"
        assert challenge.body["type"] == "/docs#unauthorized"
        code, _, told = done(folder, "check", "--url", service.url)
        assert code == 1
        assert "BAKEOFF_SERVICE_KEY" in told
        code, shown, _ = done(folder, "check", "--url", service.url, BAKEOFF_SERVICE_KEY=keys["boss"])
        assert code == 0
        assert "index and catalogue agree" in shown
        assert not [line for line in service.said if any(key in line for key in keys.values())]


def test_check_and_rebuild(service: Service, tmp_path: Path) -> None:
    code, shown, _ = done(tmp_path, "check", "--url", service.url)
    assert code == 0
    assert int(shown.split()[0]) >= ROWS
    before = service.ask("GET", "/v1/service").body["index"]["generation"]
    code, shown, _ = done(tmp_path, "rebuild", "--url", service.url)
    after = service.ask("GET", "/v1/service").body["index"]["generation"]
    assert code == 0
    assert after != before
    assert after in shown
    assert service.ask("GET", "/readyz").status == 200


def test_where_no_service_is(tmp_path: Path) -> None:
    code, _, told = done(tmp_path, "check", "--url", "http://127.0.0.1:1")
    assert code == 1
    assert "no service answers there" in told
    for url in ("127.0.0.1:8080", "http://127.0.0.1:80800", "http://[::1", "http://127.0.0.1:8080/shop"):
        code, _, told = done(tmp_path, "check", "--url", url)
        assert code == 104
        assert f"must be such as http://127.0.0.1:8080, got {url}" in told


def test_the_description_is_whole(service: Service) -> None:
    described = service.ask("GET", "/openapi.json").body
    assert described["openapi"] == "3.1.0"
    references = {
        part.partition('"')[0] for part in json.dumps(described).split('"$ref": "#/components/schemas/')[1:]
    }
    assert references
    assert references <= set(described["components"]["schemas"])
    listing = described["components"]["schemas"]["Listing"]
    assert set(listing["required"]) == {"brand", "price", "stock", "title", "vector"}
    assert listing["properties"]["vector"]["minItems"] == 8
    operations = {(path, method) for path, methods in described["paths"].items() for method in methods}
    assert ("/v1/recommendations", "post") in operations
    names = [one["operationId"] for methods in described["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names)) == len(operations)


def test_problems_are_explained_where_they_point(service: Service) -> None:
    page = service.ask("GET", "/docs").body
    kind = service.ask("GET", "/v1/listings/nowhere").body["type"]
    assert kind == "/docs#not-found"
    assert "id='not-found'" in page
    assert "/v1/listings/{id}" in page
