"""Engines of which every cell failed, a line for each cause."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LONGEST = 300  # characters of a reason
# As harness.servers.containers says it. An error of the Docker engine names the image, and an address with its version.
_NO_IMAGE = re.compile(
    r"\S+: image (?P<image>\S+) cannot be pulled: (?P<why>.*)\. Set (?P<key>BAKEOFF_IMAGE_\w+) to"
)
_ADDRESS = re.compile(r"(https?://[^/\s\"]+)[^\s\"]*")


def by_cause(reasons: Mapping[str, str]) -> list[str]:
    """The engines of one cause together, with what helps. reasons: why it failed, by the engine's label."""
    groups: dict[str, list[str]] = {}
    for label, reason in reasons.items():
        groups.setdefault(_cause(reason), []).append(label)
    return [_line(labels, [reasons[label].splitlines()[0] for label in labels]) for labels in groups.values()]


def _cause(reason: str) -> str:
    found = _NO_IMAGE.search(reason.splitlines()[0])
    if found is None:
        return reason
    name = found["image"].partition("@")[0]
    repository = re.sub(r":[^:/]+$", "", name)  # without its tag
    return _ADDRESS.sub(r"\1", found["why"]).replace(name, "").replace(repository, "")


def _line(labels: list[str], reasons: list[str]) -> str:
    who = f"engine {labels[0]}" if len(labels) == 1 else f"engines {', '.join(labels)}"
    images = [found for reason in reasons if (found := _NO_IMAGE.search(reason))]
    if len(images) < 2:
        return f"{who}: every cell failed: {reasons[0][:_LONGEST]}"
    keys = ", ".join(dict.fromkeys(found["key"] for found in images))
    return (
        f"{who}: every cell failed: their images cannot be pulled: {images[0]['why'][:_LONGEST]}. Name images that "
        f"can be had ({keys}), or servers that run (--url ENGINE=URL)"
    )
