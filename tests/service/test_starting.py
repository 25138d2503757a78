"""What cannot be served is told before anybody is answered, all at once."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.arguments import parse
from harness.errors import ConfigurationError, MeasurementError
from harness.soak.service import serving
from tests.service.launch import Service, environment, refused, running


def test_every_problem_of_what_is_named_at_once(folder: Path) -> None:
    (folder / "keys.yaml").write_text("keys: []\n")
    options = ("--decision", "none.json", "--model", "none", "--dataset", "nowhere", "--keys", "keys.yaml")
    code, errors = refused(folder, *options)
    assert code == 104
    assert [line.split(":")[1].split()[0] for line in errors] == ["none.json", "none", "dataset", "keys.yaml"]


def test_an_engine_that_does_not_start(folder: Path) -> None:
    code, errors = refused(folder, "--dataset", "shop", "--engine", "vespa")
    assert (code, len(errors)) == (104, 1)
    assert "engine vespa does not start: " in errors[0]
    assert "set BAKEOFF_VESPA_URL" in errors[0]


@pytest.mark.parametrize(
    "arguments", [["serve"], ["ingest", "new.ndjson"], ["events", "export", "--to", "x"]]
)
def test_a_library_that_is_not_installed(arguments: list[str], tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['prometheus_client'] = None; from harness.cli.main import main; "
        "sys.exit(main(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(
        words, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False
    )
    told = "error: the service needs prometheus_client. Install it with: pip install 'bakeoff[service]'\n"
    assert (done.returncode, done.stderr) == (104, told)


def test_a_mistyped_option_points_at_the_help_of_its_command() -> None:
    with pytest.raises(
        ConfigurationError, match=r"--datset shop \(did you mean '--dataset'\?\)\. See: bakeoff serve --help"
    ):
        parse(["serve", "--datset", "shop"])
    assert parse(["serve", "--dataset", "shop"]).dataset == "shop"


def test_a_service_under_load_that_does_not_start_says_why_alone(folder: Path) -> None:
    """Without the settings, of which it says dozens before."""
    options = ["--dataset", str(folder / "shop"), "--data", str(folder / "kept"), "--engine", "fais"]
    with (
        pytest.raises(MeasurementError, match="did not start: engine: 'fais' is not known"),
        serving(options, folder / "service.log"),
    ):
        pass


def test_a_port_in_use(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, errors = refused(folder, "--dataset", "shop", "--port", port)
    assert (code, len(errors)) == (104, 1)
    assert f"{port} of 127.0.0.1 is in use" in errors[0]


def test_a_folder_that_another_service_has(service: Service) -> None:
    code, errors = refused(service.folder, "--dataset", "shop")
    assert code != 0
    assert "another process has" in errors[0]


def test_a_folder_that_cannot_be_made(folder: Path) -> None:
    (folder / "kept").write_text("a file")
    code, errors = refused(folder, "--dataset", "shop", "--data", "kept/served")
    assert code == 1
    assert "kept/served: Not a directory; check the path" in errors[0]


def test_the_leader_of_a_decision_on_other_data_is_served_and_told_to_be_no_more(folder: Path) -> None:
    leader = {"engine": "scan", "adapter": "bruteforce", "index": {}, "search": {}, "title": "scan"}
    decision = {
        "schema_version": 1,
        "run": "monday",
        "sentence": "Too close.",
        "pick": None,
        "leader": leader,
        "standings": [],
        "dataset": {"name": "fashion"},
    }
    (folder / "decision.json").write_text(json.dumps(decision))
    with running(folder, "--dataset", "shop", "--decision", "decision.json") as service:
        told = service.ask("GET", "/v1/service").body["engine"]
        assert told["name"] == "bruteforce"
        assert told["why"] == "scan, which leads run monday but is no decision: Too close."
        assert any(f"engine: {told['why']}" in line for line in service.said)
        assert any("that run measured 'fashion', this serves 'shop'" in line for line in service.said)


def test_settings_are_printed_with_secrets_masked(folder: Path) -> None:
    code, errors = refused(
        folder, "--dataset", "shop", BAKEOFF_SERVICE_STORE="postgresql://shop:sesame@127.0.0.1:1/none"
    )
    assert code == 104
    assert not [line for line in errors if "sesame" in line]
