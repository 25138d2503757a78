"""Engines that failed as a whole are told a line for each cause."""

from __future__ import annotations

import docker.errors
import pytest

from harness.cli.printing.failures import by_cause
from harness.errors import ServerFailedError
from harness.scenario.specs import ContainerLimits
from harness.servers import containers
from harness.servers.compose import read_compose


class Refusing:
    """A client of a Docker engine without images, where `why` is what a pull comes to."""

    def __init__(self, why: str) -> None:
        self.images = self.api = self
        self._why = why

    def get(self, image: str) -> None:
        raise docker.errors.ImageNotFound(image)

    def pull(self, image: str, **_: object) -> None:
        raise docker.errors.APIError("refused", explanation=self._why.format(image=image))


def refused(engine: str, why: str) -> str:
    """What the run records of an engine whose image cannot be pulled."""
    compose = read_compose(engine, ContainerLimits(), environ={})
    with pytest.raises(ServerFailedError) as caught:
        containers._pull(Refusing(why), compose, lambda *_: None)
    return str(caught.value)


OFFLINE = 'Get "https://registry.test/v2/{image}": dial tcp: lookup registry.test: no such host'
DENIED = "pull access denied for {image}"


def test_images_that_no_registry_gives_are_one_cause_with_one_remedy() -> None:
    engines = ("qdrant", "milvus", "vespa")
    (line,) = by_cause({engine: refused(engine, OFFLINE) for engine in engines})
    assert line.startswith(
        "engines qdrant, milvus, vespa: every cell failed: their images cannot be pulled: Get"
    )
    assert (
        "no such host. Name images that can be had (BAKEOFF_IMAGE_QDRANT, BAKEOFF_IMAGE_MILVUS, BAKEOFF_"
        in line
    )
    assert line.endswith("or servers that run (--url ENGINE=URL)")


def test_other_causes_have_lines_of_their_own() -> None:
    lines = by_cause(
        {
            "qdrant": refused("qdrant", OFFLINE),
            "faiss": "SIGABRT",
            "milvus": refused("milvus", DENIED),
            "hnsw": "SIGABRT",
            "vespa": refused("vespa", DENIED),
        }
    )
    assert [line.partition(": every cell failed: ")[0] for line in lines] == [
        "engine qdrant",
        "engines faiss, hnsw",
        "engines milvus, vespa",
    ]
    assert lines[0].endswith("Set BAKEOFF_IMAGE_QDRANT to one that can")
    assert lines[1].endswith(": SIGABRT")
