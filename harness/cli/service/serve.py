"""`bakeoff serve`: the reference service, until it is told to stop."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.printing.output import cache_folder, say, show
from harness.cli.service.given import given_settings
from harness.errors import BakeoffError

if TYPE_CHECKING:
    import socket

    from service.settings.model import Settings

_OPTIONS = ("decision", "engine", "dataset", "model", "data", "keys", "host", "port", "workers")
Say = Callable[[str], None]


def serve(options: argparse.Namespace) -> int:
    read = given_settings(options, _OPTIONS)
    from service.application.listening.serving import address, listening
    from service.settings.told import told

    settings = read.settings
    tell = logged(settings)
    for line in told(read):
        tell(line)
    with listening(settings.host, settings.port) as bound:

        def ready() -> None:
            tell(f"a page to try it out: {address(bound)}/")
            show(f"listening on {address(bound)}")

        if settings.workers == 1:
            answer(settings, bound, ready, tell)
        else:
            _serve_together(settings, bound, ready)
    return 0


def _serve_together(settings: Settings, bound: socket.socket, ready: Callable[[], None]) -> None:
    from harness.cli.service.worker import work
    from service.application.listening.workers import Workers
    from service.telemetry.processes import share

    with tempfile.TemporaryDirectory(prefix="bakeoff-metrics-") as counted:
        share(Path(counted), os.environ)
        workers = Workers(bound, settings.workers, Path(counted), work, settings)
        # Requests under way, then index and catalogue, and a little for the process itself.
        workers.run(ready, 2 * settings.stop_s + 2)


def answer(
    settings: Settings, bound: socket.socket, ready: Callable[[], None], log: Say, *, quiet: bool = False
) -> None:
    """Opens everything and answers until it is told to stop. quiet: without what is said where all goes well."""
    from harness.cli.printing.terminal import ProgressBar
    from service.api.app import application
    from service.api.shedding import Shedding
    from service.application.listening.guarding import Patience
    from service.application.listening.serving import serve as listen
    from service.application.opening.parts import opened
    from service.application.planning.plan import plan

    def tell(line: str) -> None:
        if not quiet:
            log(line)

    version = metadata.version("bakeoff")
    with ExitStack() as stack:
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
        # What is there now stays: going through it would stop every request for some 40 ms, again and again.
        gc.collect()
        gc.freeze()
        limits = settings.limits
        listen(
            application(parts, version),
            bound,
            shed=Shedding(parts).answer,
            patience=Patience(limits.head_bytes, limits.head_s, limits.body_s),
            stop_s=settings.stop_s,
            ready=ready,
        )
        tell("stopping: requests under way have ended")
        leaving = threading.Timer(settings.stop_s, _leave, (log,))
        leaving.daemon = True
        leaving.start()
    leaving.cancel()


def logged(settings: Settings) -> Say:
    """Has what the service logs written to standard error; returns what says other things in the same form."""
    from service.telemetry.requests.logs import formatter

    lines, log = LogLines(), logging.getLogger("service")
    lines.setFormatter(formatter(settings.telemetry.log))
    logging.basicConfig(handlers=[lines])
    log.setLevel(logging.INFO)
    return say if settings.telemetry.log == "text" else log.info


def _leave(tell: Say) -> None:
    """Ends the process although a thread in it does not, such as one that an engine holds."""
    tell("error: the engine does not let go; left without it: what was acknowledged is in the catalogue")
    os._exit(BakeoffError.exit_code)


class LogLines(logging.Handler):
    """Log lines on standard error, as every message: without credentials and control characters."""

    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record))
