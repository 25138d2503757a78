"""Milvus in a container, with the waits of its coordinators shortened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import ServerFailedError
from harness.scenario.specs import ContainerLimits
from harness.servers.compose import read_compose
from harness.servers.containers import started
from tests.servers.launch import UnavailableError

LOCAL_IMAGE = "local/milvus:2.3.5"
_IMAGE = "BAKEOFF_IMAGE_MILVUS"
# Milvus brings a written collection to rest in steps that it looks for every 1 to 10 s, and builds no index over less
# than 1,024 rows. With these the suite takes a tenth of the time, and its small collections are indexed.
QUICK = {
    "DATACOORD_COMPACTION_CHECK_INTERVAL": "1",
    "DATACOORD_SEGMENT_ASSIGNMENTEXPIRATION": "200",
    "INDEXCOORD_SCHEDULER_INTERVAL": "100",
    "INDEXCOORD_SEGMENT_MINSEGMENTNUMROWSTOENABLEINDEX": "64",
    "PROXY_TIMETICKINTERVAL": "50",
    "QUERYCOORD_CHECKCHANNELINTERVAL": "100",
    "QUERYCOORD_CHECKHANDOFFINTERVAL": "500",
    "QUERYCOORD_CHECKINDEXINTERVAL": "500",
    "QUERYCOORD_CHECKSEGMENTINTERVAL": "100",
    "QUERYCOORD_DISTPULLINTERVAL": "100",
    "QUERYCOORD_LEADERVIEWUPDATEINTERVAL": "1",
    "QUERYCOORD_UPDATENEXTTARGETINTERVAL": "1",
}


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Starts the image of $BAKEOFF_IMAGE_MILVUS, else the one made by tests/servers/images/milvus, and yields its
    URL; the container is gone afterwards. Raises UnavailableError. `folder` is not needed.
    """
    del folder
    image = os.environ.get(_IMAGE) or _built()
    limits = ContainerLimits(cpus=2, memory_mib=4096)
    manifest = read_compose("milvus", limits, {**os.environ, _IMAGE: image})
    service = manifest.service.model_copy(update={"environment": manifest.service.environment | QUICK})
    try:
        with started(manifest.model_copy(update={"service": service})) as container:
            yield container.settings["BAKEOFF_MILVUS_URL"]
    except ServerFailedError as error:
        raise UnavailableError(str(error)) from error


def _built() -> str:
    """The image made on this machine."""
    import docker

    try:
        client = docker.from_env(version="auto")
    except docker.errors.DockerException as error:
        raise UnavailableError(
            f"no Docker engine answers ({error}); start one, or run tests/servers/images/milvus as root"
        ) from error
    try:
        client.images.get(LOCAL_IMAGE)
    except docker.errors.ImageNotFound as error:
        raise UnavailableError(
            f"there is no image {LOCAL_IMAGE}; make it with tests/servers/images/milvus, or set {_IMAGE} to one"
        ) from error
    finally:
        client.close()
    return LOCAL_IMAGE
