"""Servers that cannot be started here, known before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping

from engines.base import Engine
from harness.errors import ConfigurationError, ServerFailedError
from harness.scenario.specs import Scenario
from harness.servers.docker_engine import docker_client
from harness.servers.serving import server_kind

LEFT_OUT = "left out: "  # beginning of the note on them; a resumed run drops that note


def left_out(scenario: Scenario, adapter_classes: Mapping[str, type[Engine]]) -> tuple[set[str], str]:
    """The labels of the engines that need a Docker engine where none answers, and a note on them; none and "" where all
    can be started. Raises ConfigurationError where nothing else would be left.
    """
    specs = [
        spec for spec in scenario.engines if server_kind(spec, adapter_classes[spec.title]) == "container"
    ]
    if not specs:
        return set(), ""
    try:
        docker_client().close()
    except ServerFailedError as error:
        names = ", ".join(spec.title for spec in specs)
        told = (
            f"{names} would run in {'containers' if len(specs) > 1 else 'a container'}, but "
            f"{str(error).partition('. ')[0]}; start one, or name a server that runs, as in "
            f"--url {specs[0].engine}=URL"
        )
        if len(specs) == len(scenario.engines):
            raise ConfigurationError(told) from None
        return {spec.title for spec in specs}, LEFT_OUT + told
    return set(), ""
