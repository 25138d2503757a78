"""Compose files as the harness reads them: interpolation, limits, errors that name file and key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from engines.registry import ENGINES
from harness.errors import ConfigurationError
from harness.scenario.specs import ContainerLimits
from harness.servers import compose
from harness.servers.compose import read_compose

LIMITS = ContainerLimits(cpus=1.5, memory_mib=2048)
TEXT = """
services:
  tiny:
    image: ${BAKEOFF_IMAGE_TINY:-maker/tiny:v1.2}
    ports: ["127.0.0.1:6333:6333", "127.0.0.1:6334:6334"]
    environment: {HEAP: "${BAKEOFF_HEAP_MIB:-1}m", WORKERS: 3}
    command: [serve, --quiet]
    cpus: ${BAKEOFF_CPUS:-2}
    mem_limit: ${BAKEOFF_MEMORY_MIB:-4096}m
    healthcheck: {test: [CMD, "true"]}
volumes: {data: {}}
x-bakeoff:
  settings: {URL: "http://{host}:{port_6333}", GRPC_PORT: "{port_6334}"}
  ready: {port: 6333, path: /readyz}
  data: /data
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "compose.yaml").write_text(TEXT)
    monkeypatch.setattr(compose, "shipped", lambda _: tmp_path)
    return tmp_path


def test_limits_reach_the_service_and_settings_the_adapter(folder: Path) -> None:
    manifest = read_compose("tiny", LIMITS, {})
    service = manifest.service
    assert service.image == "maker/tiny:v1.2"
    assert (service.cpus, service.mem_limit) == (1.5, "2048m")
    assert service.environment == {"HEAP": "1024m", "WORKERS": "3"}
    assert service.container_ports == [6333, 6334]
    assert manifest.settings("db", {6333: 41, 6334: 42}) == {
        "BAKEOFF_TINY_URL": "http://db:41",
        "BAKEOFF_TINY_GRPC_PORT": "42",
    }


def test_the_image_can_be_replaced(folder: Path) -> None:
    manifest = read_compose("tiny", LIMITS, {"BAKEOFF_IMAGE_TINY": "mine:2"})
    assert manifest.service.image == "mine:2"
    assert read_compose("tiny", LIMITS, {"BAKEOFF_IMAGE_TINY": ""}).service.image == "maker/tiny:v1.2"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cpus:", "cpu:", r"compose\.yaml: services\.tiny\.cpus .*missing"),
        ("data: /data", "date: /data", r"compose\.yaml: x-bakeoff\.data .*missing"),
        ("  tiny:", "  other:", r"compose\.yaml: services must hold one called tiny"),
        ("port: 6333, path", "port: x, path", r"compose\.yaml: x-bakeoff\.ready\.port .*'x'"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, old: str, new: str, message: str) -> None:
    (folder / "tiny" / "compose.yaml").write_text(TEXT.replace(old, new))
    with pytest.raises(ConfigurationError, match=message):
        read_compose("tiny", LIMITS, {})


def test_an_engine_without_a_container_is_said_to(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none/compose\.yaml: .* none comes without a container"):
        read_compose("none", LIMITS, {})


SHIPPED = sorted(
    path.parent.name
    for path in compose.shipped("docker").glob("*/compose.yaml")
    if path.parent.name != "service"  # which is put together of these
)


@pytest.mark.parametrize("engine", SHIPPED)
def test_shipped_files_can_be_read_and_are_pinned(engine: str) -> None:
    assert engine in ENGINES
    manifest = read_compose(engine, LIMITS, {})
    name, _, tag = manifest.service.image.rpartition(":")
    assert name
    assert any(part.isdigit() for part in tag)
    assert (manifest.service.cpus, manifest.service.mem_limit) == (1.5, "2048m")
    assert manifest.extension.ready.port in manifest.service.container_ports
    ports = {port: 40000 + port % 1000 for port in manifest.service.container_ports}
    settings = manifest.settings("127.0.0.1", ports)
    assert f"BAKEOFF_{engine.upper()}_URL" in settings
    assert not [value for value in settings.values() if "{" in value]
    assert all(port.startswith("127.0.0.1:") for port in manifest.service.ports)  # never open to the network


@pytest.mark.parametrize("path", sorted(compose.shipped("docker").glob("*/compose*.yaml")), ids=str)
def test_compose_files_use_the_one_form_of_interpolation(path: Path) -> None:
    text = compose._REFERENCE.sub("x", path.read_text("utf-8"))
    assert "${" not in text
    assert yaml.safe_load(text)["services"]
