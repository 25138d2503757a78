"""The settings of the service, as its commands are given them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from service.settings.reading import Read

_NEEDED = ("msgspec", "starlette", "uvicorn", "httptools", "uvloop", "prometheus_client", "limits")


def given_settings(options: argparse.Namespace, names: Sequence[str]) -> Read:
    """names: the settings that are options of this command.

    Raises ConfigurationError with every problem of theirs, and where a library of the service is not installed.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"the service needs {', '.join(missing)}. Install it with: pip install 'bakeoff[service]'"
        )
    from service.settings.reading import read_settings

    config = Path(options.config) if options.config else None
    return read_settings(config, os.environ, {name: getattr(options, name) for name in names})
