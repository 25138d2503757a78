"""`bakeoff serve`: the reference service, until it is told to stop."""

from __future__ import annotations

import argparse
import logging
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path

from harness.cli.output import cache_folder, say, show
from harness.errors import BakeoffError, ConfigurationError

_OPTIONS = ("decision", "engine", "dataset", "model", "data", "keys", "host", "port")


def serve(options: argparse.Namespace) -> int:
    from harness.cli.terminal import ProgressBar

    try:
        from service.api.app import application
        from service.application.assembly import opened, plan
        from service.application.serving import address, listening
        from service.application.serving import serve as listen
        from service.settings.reading import read_settings
        from service.settings.told import told
        from service.telemetry.requests.logs import formatter
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the service needs {error.name}. Install it with: pip install 'bakeoff[service]'"
        ) from error
    given = {name: getattr(options, name) for name in _OPTIONS}
    read = read_settings(Path(options.config) if options.config else None, os.environ, given)
    lines, log = LogLines(), logging.getLogger("service")
    lines.setFormatter(formatter(read.settings.telemetry.log))
    logging.basicConfig(handlers=[lines])
    log.setLevel(logging.INFO)
    tell = say if read.settings.telemetry.log == "text" else log.info
    for line in told(read):
        tell(line)
    settings, version = read.settings, metadata.version("bakeoff")
    with ExitStack() as stack:
        bound = stack.enter_context(listening(settings.host, settings.port))
        with ProgressBar() as bar:
            made = plan(settings, cache=cache_folder(), progress=bar)
            tell(f"engine: {made.chosen.why}")
            measured, served = made.chosen.measured_on, made.dataset.name if made.dataset else ""
            if measured and served and measured != served:
                tell(
                    f"that run measured '{measured}', this serves '{served}': here another engine may do better"
                )
            if made.keys is None:
                tell(
                    f"no keys: anybody on this machine may read and write; listening on {settings.host} only"
                )
            parts = opened(made, stack, progress=bar, say=tell, version=version)
        tell(f"{parts.store.count():,} listings in {made.folder}")
        listen(
            application(parts, version),
            bound,
            stop_s=settings.stop_s,
            ready=lambda: _announce(address(bound), tell),
        )
        tell("stopping: requests under way have ended")
        leaving = threading.Timer(settings.stop_s, _leave, (tell,))
        leaving.daemon = True
        leaving.start()
    leaving.cancel()
    return 0


def _announce(url: str, tell: Callable[[str], None]) -> None:
    tell(f"a page to try it out: {url}/")
    show(f"listening on {url}")


def _leave(tell: Callable[[str], None]) -> None:
    """Ends the process although a thread in it does not, such as one that an engine holds."""
    tell("error: the engine does not let go; left without it: what was acknowledged is in the catalogue")
    os._exit(BakeoffError.exit_code)


class LogLines(logging.Handler):
    """Log lines on standard error, as every message: without credentials and control characters."""

    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record))
