"""The service does what its OpenAPI document says: schemathesis asks whatever follows it, and what does not.

All checks of schemathesis in all its phases: by each member's limits, at random, and from one answer on to the next.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.service.launch import ROOT, Service
from tests.service.relay import relayed
from tests.service.shop import document

CONFIG = Path(__file__).with_name("schemathesis.toml")
RULES = "tests.service.described.rules"


def tried(url: str, folder: Path, *options: str) -> tuple[int, set[tuple[str, str]], str]:
    """Exit code of schemathesis, which checks have failed at which operations, and what it said."""
    program = (sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run")
    report = ("--report", "ndjson", "--report-ndjson-path", "report.ndjson", "--warnings", "off")
    done = subprocess.run(
        [*program, f"{url}/openapi.json", *report, *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": RULES},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    events = [json.loads(line) for line in (folder / "report.ndjson").read_text().splitlines()]
    return done.returncode, set(failed(events)), done.stdout[-10_000:] + done.stderr[-2000:]


def failed(events: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Operation and name of each check that has failed; errors of schemathesis itself as well."""
    ended = [event["ScenarioFinished"]["recorder"] for event in events if "ScenarioFinished" in event]
    return {
        (check["failure_info"]["failure"]["operation"], check["name"])
        for recorder in ended
        for checks in recorder.get("checks", {}).values()
        for check in checks
        if check["status"] != "success"
    }


def test_the_service_is_as_it_is_described(service: Service, tmp_path: Path) -> None:
    code, wrong, said = tried(service.url, tmp_path)
    assert (code, wrong) == (0, set()), said
    asked = said.rpartition("Test cases:")[2].split()
    assert int(asked[0].replace(",", "")) > 1000, said


PLANTED = {
    ("GET /v1/listings/{id}", "status_code_conformance"),
    ("POST /v1/events", "what_does_not_is_refused"),
    ("POST /v1/listings:bulk", "what_follows_the_description_is_accepted"),
    ("POST /v1/recommendations", "not_a_server_error"),
    ("POST /v1/search", "response_schema_conformance"),
}


def faulty(method: str, path: str, status: int, body: Any) -> tuple[int, Any]:
    """Gets something wrong at five operations."""
    match (method, path.partition("?")[0], status):
        case ("GET", _, 404 | 422):
            return 418, body
        case ("POST", "/v1/events", 422):
            return 200, {"lines": 1, "failed": 0, "results": []}
        case ("POST", "/v1/listings:bulk", 200):
            return 422, {**body, "type": "", "title": "", "detail": "", "status": 422}
        case ("POST", "/v1/recommendations", 422):
            return 500, body
        case ("POST", "/v1/search", 200):
            return 200, {name: value for name, value in body.items() if name != "hits"}
    return status, body


def test_what_is_not_is_noticed(service: Service, tmp_path: Path) -> None:
    with relayed(service.url, faulty) as url:
        code, wrong, said = tried(url, tmp_path, "--phases", "fuzzing", "--continue-on-failure")
    assert code == 1
    assert wrong >= PLANTED, said


BODIES = {"put": document(), "patch": {"price": 3.0}}


def followed(service: Service, steps: tuple[str, ...]) -> list[int]:
    """The statuses of operations on one listing, of which the description links each to the next."""
    described = service.ask("GET", "/openapi.json").body
    operations = {
        one["operationId"]: (method.upper(), path, one)
        for path, methods in described["paths"].items()
        for method, one in methods.items()
    }
    statuses, links = [], dict.fromkeys(steps[:1])
    for step in steps:
        assert step in links
        method, path, operation = operations[step]
        reply = service.ask(method, path.replace("{id}", "followed"), BODIES.get(step))
        links = operation["responses"][str(reply.status)].get("links", {})
        assert all(link["parameters"] == {"id": "$request.path.id"} for link in links.values())
        statuses.append(reply.status)
    return statuses


LIFE = ("put", "get", "patch", "similar", "remove", "get")


def test_a_listing_is_followed_through_its_links(service: Service) -> None:
    assert followed(service, LIFE) == [200, 200, 200, 200, 200, 404]


def test_one_that_stays_after_its_removal_is_noticed(service: Service) -> None:
    def kept(method: str, _path: str, status: int, body: Any) -> tuple[int, Any]:
        return (200, {}) if (method, status) == ("GET", 404) else (status, body)

    with relayed(service.url, kept) as url:
        assert followed(replace(service, url=url), LIFE) != [200, 200, 200, 200, 200, 404]
