"""The service in containers as docker/service puts it together: built, started, asked, watched, restarted, stopped."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
STACK = ROOT / "docker" / "service"
SERVICE, PROMETHEUS = "http://127.0.0.1:18080", "http://127.0.0.1:19090"
REQUIRED = os.environ.get("BAKEOFF_REQUIRE_DOCKER")
UP_S = 120


def missing(reason: str) -> None:
    """In CI that is a failure."""
    if REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)


def compose() -> list[str]:
    """The command, of whichever generation is installed."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"]


class Stack:
    """keys: API keys by the scope that each has."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.keys = folder, dict[str, str]()
        self.environment = os.environ | {
            "COMPOSE_FILE": "compose.yaml:engines/pgvector.yaml",
            "COMPOSE_PROJECT_NAME": "bakeoff-test-service",
            "BAKEOFF_PORT": "18080",
            "PROMETHEUS_PORT": "19090",
            "BAKEOFF_KEYS": str(folder / "keys.yaml"),
            "BAKEOFF_PROMETHEUS_KEY": str(folder / "prometheus.key"),
            "BAKEOFF_IMAGE_SERVICE": "bakeoff-service-under-test",
        }
        (folder / "keys.yaml").write_text("keys: []\n")
        (folder / "prometheus.key").write_text("")

    def run(self, *arguments: str, timeout_s: float = 600) -> str:
        done = subprocess.run(
            [*compose(), *arguments],
            cwd=STACK,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def make_keys(self) -> None:
        lines = ["keys:"]
        for scope in ("read", "write"):
            said = self.run("run", "--rm", "--no-deps", "service", "service", "key", scope, "--scope", scope)
            entry, self.keys[scope] = (line.strip("\r") for line in said.splitlines() if line.strip())
            lines.append(entry)
        (self.folder / "keys.yaml").write_text("\n".join(lines) + "\n")
        (self.folder / "prometheus.key").write_text(self.keys["read"])

    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*compose(), "exec", "-T", "service", *command],
            cwd=STACK,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def ask(self, method: str, path: str, body: Any = None, scope: str | None = None) -> tuple[int, Any]:
        headers = {"content-type": "application/json"}
        if scope is not None:
            headers["authorization"] = f"Bearer {self.keys[scope]}"
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(SERVICE + path, content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


def eventually(what: Callable[[], bool], within_s: float = UP_S) -> None:
    until = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < until, f"not within {within_s} s"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if shutil.which("docker") is None or not (shutil.which("docker-compose") or compose()[1:]):
        missing("no Docker, or no Compose")
    made = Stack(tmp_path_factory.mktemp("stack"))
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        missing("no Docker engine answers")
    base = os.environ.get("BAKEOFF_IMAGE_PYTHON")
    if base is None:
        missing("BAKEOFF_IMAGE_PYTHON names no image to build from (tests/servers/images makes one)")
    try:
        made.run("build", "service")
        made.make_keys()
        made.run("up", "-d", "service", "prometheus")  # Grafana's image is nowhere but in a registry
        eventually(lambda: ready(made))
        yield made
    finally:
        made.run("down", "-v")


def ready(stack: Stack) -> bool:
    try:
        return stack.ask("GET", "/readyz")[0] == 200
    except OSError:
        return False


def put(stack: Stack, listing: str, vector: Sequence[float]) -> tuple[int, Any]:
    document = {
        "brand": "COS",
        "category": "shirt",
        "size": "M",
        "price": 12.5,
        "title": "A linen shirt",
        "seller": "anna",
        "vector": vector,
    }
    return stack.ask("PUT", f"/v1/listings/{listing}?wait=searchable", document, "write")


def test_it_answers_who_has_a_key_and_keeps_what_was_written_over_a_restart(stack: Stack) -> None:
    vector = [1.0] + [0.0] * 63
    assert put(stack, "one", vector)[0] == 200
    question = {"vector": vector, "where": {"brand": "COS"}, "k": 3, "mode": "exact"}
    assert stack.ask("POST", "/v1/recommendations", question)[0] == 401
    assert stack.ask("PUT", "/v1/listings/two", {}, "read")[0] == 403

    def engine_answers() -> bool:
        """Not within half a second where other tests want the processor as well: then a marked fallback comes."""
        status, answer = stack.ask("POST", "/v1/recommendations", question, "read")
        assert (status, [hit["id"] for hit in answer["hits"]]) == (200, ["one"])
        return "fallback" not in answer

    eventually(engine_answers)
    stack.run("restart", "service")
    eventually(lambda: ready(stack))
    status, answer = stack.ask("POST", "/v1/recommendations", question, "read")
    assert (status, [hit["id"] for hit in answer["hits"]]) == (200, ["one"])


def test_it_runs_without_rights_and_writes_to_its_data_only(stack: Stack) -> None:
    assert stack.inside("id", "-u").stdout.strip() == "10001"
    for path in ("/opt/bakeoff/planted", "/etc/planted", "/planted"):
        assert stack.inside("touch", path).returncode != 0
    assert stack.inside("touch", "/data/planted").returncode == 0
    capabilities = stack.inside("cat", "/proc/1/status").stdout
    assert "CapEff:\t0000000000000000" in capabilities


def test_no_key_is_in_what_it_says(stack: Stack) -> None:
    stack.ask("GET", "/v1/service", scope="read")
    said = stack.run("logs", "service")
    assert "listening on" in said
    assert not [scope for scope, key in stack.keys.items() if key in said]


def test_prometheus_reads_its_metrics_and_knows_its_alerts(stack: Stack) -> None:
    def up() -> bool:
        return value('up{job="service"}') == 1

    eventually(up, 60)
    eventually(lambda: value("bakeoff_service_info") == 1, 60)
    eventually(lambda: set(health_of_rules()) == {"ok"}, 60)


def health_of_rules() -> list[str]:
    with urllib.request.urlopen(f"{PROMETHEUS}/api/v1/rules", timeout=10) as answer:
        groups = json.loads(answer.read())["data"]["groups"]
    return [rule["health"] for group in groups for rule in group["rules"]]


def value(expression: str) -> float | None:
    """Of the first series, None where there is none."""
    query = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{PROMETHEUS}/api/v1/query?{query}", timeout=10) as answer:
        found = json.loads(answer.read())["data"]["result"]
    return float(found[0]["value"][1]) if found else None
