"""Containers for real: started, measured, limited, explained when they die, and always removed."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ServerFailedError
from harness.machine.meters import Container
from harness.servers.compose import ComposeFile, Extension, Ready, Service
from harness.servers.containers import started
from harness.servers.docker_engine import OWNER, remove_containers
from tests.servers import registry

docker = pytest.importorskip("docker")
from testcontainers.core.config import ConnectionMode, testcontainers_config  # noqa: E402  with docker or not at all

IMAGE = os.environ.get("BAKEOFF_TEST_IMAGE", "local/debian:bookworm")
MIB = 2**20
# A server in the only language that a minimal Debian has: answers /ready with 200, and /fill by using 80 MiB more.
SERVER = r"""
use IO::Socket::INET; $| = 1; print "up\n"; my @held; my $mib = 80;
my $s = IO::Socket::INET->new(LocalPort => 8000, Listen => 5, ReuseAddr => 1) or die;
while (my $c = $s->accept) {
    my $line = <$c>; while (my $h = <$c>) { last if $h =~ /^\r?$/ }
    push @held, "x" x ($mib << 20) if $line =~ m{/fill};
    my $n = 0; if ($line =~ m{/work}) { $n += $_ for 1 .. 5_000_000 }
    print $c $line =~ m{/missing} ? "HTTP/1.0 404 No\r\n\r\n" : "HTTP/1.0 200 OK\r\n\r\nok"; close $c;
}
"""


@pytest.fixture(scope="module", autouse=True)
def engine() -> Any:
    """A Docker engine with a small image; without one these tests are skipped, in CI they fail."""
    required = os.environ.get("BAKEOFF_REQUIRE_DOCKER")
    try:
        client = docker.from_env()
        client.images.get(IMAGE)
    except docker.errors.DockerException as error:
        reason = f"no Docker engine with {IMAGE} (tests/servers/images builds it): {error}"
        if required:
            pytest.fail(reason)
        pytest.skip(reason)
    yield client
    client.close()


def manifest(
    command: list[str] | None = None, *, path: str | None = "/ready", start_s: float = 20, **service: Any
) -> ComposeFile:
    return ComposeFile(
        engine="tiny",
        service=Service.model_validate(
            {
                "image": IMAGE,
                "ports": ["127.0.0.1:8000:8000"],
                "command": command or ["perl", "-e", SERVER],
                "cpus": 1,
                "mem_limit": "256m",
                **service,
            }
        ),
        extension=Extension(
            settings={"URL": "http://{host}:{port_8000}"},
            ready=Ready(port=8000, path=path),
            data="/etc",
            start_s=start_s,
        ),
    )


def ours(client: Any) -> list[str]:
    """Other runs on this machine may have containers too, but none of this image."""
    containers = client.containers.list(all=True, filters={"label": OWNER})
    return [container.id for container in containers if container.attrs["Config"]["Image"] == IMAGE]


def get(settings: dict[str, str], path: str) -> None:
    from urllib.request import urlopen

    with urlopen(settings["BAKEOFF_TINY_URL"] + path, timeout=20) as answer:
        answer.read()


def test_a_container_is_measured_and_removed(engine: Any) -> None:
    seen: list[str] = []
    with started(manifest(), lambda what, *_: seen.append(what)) as container:
        meter = Container(container.id, "/etc")
        limits = engine.containers.get(container.id).attrs["HostConfig"]
        assert (limits["NanoCpus"], limits["Memory"], limits["MemorySwap"]) == (10**9, 256 * MIB, 256 * MIB)
        before = meter.cpu_s()
        meter.start_peak()
        get(container.settings, "/work")
        get(container.settings, "/fill")
        peak, after = meter.peak_bytes(), meter.cpu_s()
        assert before is not None
        assert after is not None
        assert 0.05 < after - before < 10
        assert peak is not None
        assert 80 * MIB < peak < 256 * MIB
        disk = meter.disk_bytes()
        assert disk is not None
        assert 100_000 < disk < 50 * MIB
        assert container.how_it_ended() is None
    assert seen == ["starting tiny"]
    assert container.id not in ours(engine)


def test_one_that_needs_too_much_memory_is_said_to(engine: Any) -> None:
    with started(manifest(mem_limit="64m")) as container:
        with pytest.raises(OSError, match=r"reset|closed|ended"):
            get(container.settings, "/fill")
        deadline = time.monotonic() + 10
        while (ended := container.how_it_ended()) is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert ended is not None
        assert "killed for using more than its memory (limits.memory_mib)" in ended
        assert "last log lines: up" in ended
    assert container.id not in ours(engine)


def test_other_machines_cannot_reach_it(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Also where these tests run in a container themselves, from which Docker may not be on 127.0.0.1.
    monkeypatch.setattr(testcontainers_config, "connection_mode_override", ConnectionMode.docker_host)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    with started(manifest()) as container:
        published = engine.containers.get(container.id).attrs["NetworkSettings"]["Ports"]["8000/tcp"]
        assert [where["HostIp"] for where in published] == ["127.0.0.1"]
        assert container.settings["BAKEOFF_TINY_URL"] == f"http://127.0.0.1:{published[0]['HostPort']}"


def test_limits_that_the_engine_may_not_raise_are_left_at_its_own() -> None:
    beyond_any_kernel = 2**31
    with started(manifest(ulimits={"nofile": beyond_any_kernel})) as container:
        get(container.settings, "/ready")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            {"command": ["perl", "-e", "print 'no licence'; exit 3"]},
            "tiny: its container does not run: it ended with exit code 3; last log lines: no licence",
        ),
        ({"path": "/missing", "start_s": 1.0}, r"tiny: not ready within 1 s \(start_s\); last log lines: up"),
        # Docker accepts connections to a port that nothing listens on.
        (
            {"path": None, "command": ["sleep", "60"], "start_s": 1.0},
            r"tiny: not ready within 1 s \(start_s\)",
        ),
        ({"command": ["no-such-program"]}, f"tiny: {IMAGE} cannot be started: .*no-such-program"),
        (
            {"image": "local/none:1"},
            r"tiny: image local/none:1 cannot be pulled: .*\. Set BAKEOFF_IMAGE_TINY to one that can",
        ),
    ],
)
def test_what_went_wrong_is_said(engine: Any, broken: dict[str, Any], message: str) -> None:
    with pytest.raises(ServerFailedError, match=message), started(manifest(**broken)):
        pass
    assert ours(engine) == []


def test_an_image_that_is_not_here_is_pulled_and_how_much_of_it_has_come_is_said(engine: Any) -> None:
    seen: list[tuple[str, float, float]] = []
    with registry.listening(20 * MIB) as image:
        try:
            with (  # there is no program in it
                pytest.raises(ServerFailedError, match=f"tiny: {image} cannot be started"),
                started(manifest(image=image), lambda *told: seen.append(told)),
            ):
                pass
            assert engine.images.get(image).tags == [image]
        finally:
            engine.images.remove(image, force=True)
    for phase in ("downloading", "extracting"):
        told = [(done, total) for what, done, total in seen if what == f"{phase} {image} (MiB)"]
        assert [done for done, _ in told] == sorted(done for done, _ in told)
        assert 0 < told[-1][0] <= told[-1][1] == pytest.approx(20, abs=1)


def test_a_registry_that_refuses_is_named() -> None:
    with (
        registry.listening(MIB, refuses=True) as image,
        pytest.raises(ServerFailedError, match=f"image {image} cannot be pulled: .*403.*BAKEOFF_IMAGE_TINY"),
        started(manifest(image=image)),
    ):
        pass


def test_without_an_engine_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with (
        pytest.raises(ServerFailedError, match=r"no Docker engine answers .* set BAKEOFF_<ENGINE>_URL"),
        started(manifest()),
    ):
        pass
    assert remove_containers() == 0
    with warnings.catch_warnings():
        # Docker's client forgets sockets that cannot connect.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_what_a_killed_run_leaves_is_removed_by_the_next(engine: Any) -> None:
    code = (
        "from tests.servers.test_containers import *\n"
        "with started(manifest()) as container:\n"
        "    print(container.id, flush=True); time.sleep(60)"
    )
    root = Path(__file__).parents[2]
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root)
    assert run.stdout is not None
    left = run.stdout.readline().strip()
    assert left in ours(engine)
    assert remove_containers() == 0  # its owner is alive
    run.kill()
    run.wait()
    run.stdout.close()
    assert left in ours(engine)
    assert remove_containers() == 1
    assert ours(engine) == []


def test_interrupted_runs_remove_their_containers(engine: Any) -> None:
    code = (
        "import signal\n"
        "from tests.servers.test_containers import *\n"
        "from harness.cli.main import _interrupt\n"
        "signal.signal(signal.SIGTERM, _interrupt)\n"
        "with started(manifest()) as container:\n"
        "    print(container.id, flush=True); time.sleep(60)"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.stdout is not None
    assert run.stdout.readline().strip() in ours(engine)
    run.terminate()
    run.wait(20)
    run.stdout.close()
    assert ours(engine) == []
