"""Where the scenarios and dataset manifests that come with the project are, and files that are read whole."""

from __future__ import annotations

import errno
from pathlib import Path

from engines.meant import choices
from harness.errors import ConfigurationError


def shipped(kind: str) -> Path:
    """Shipped `scenarios`, `datasets`, `docker` or `locustfile.py`: inside the package in a wheel, else beside it."""
    here = Path(__file__).parent
    packaged = (
        here / "shipped" / kind
    )  # first: beside a wheel's packages may lie others called datasets or docker
    return packaged if packaged.exists() else here.parent / kind


def find_scenario(name: str) -> Path:
    """The file of a shipped scenario's name, or of a path. Raises ConfigurationError listing what there is."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        if not path.is_file():
            raise ConfigurationError(f"{path}: no such scenario file")
        return path
    found = shipped("scenarios") / f"{name}.yaml"
    if not found.is_file():
        known = sorted(file.stem for file in shipped("scenarios").glob("*.yaml"))
        raise ConfigurationError(
            f"unknown scenario '{name}' ({choices(name, known)}; or give the path of a YAML file)"
        )
    return found


def read_file(path: Path) -> bytes:
    """All bytes of a file. Raises OSError, also where it is a pipe or a device: one may never end, or never begin."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "is a pipe or a device, not a file", str(path))
    return path.read_bytes()
