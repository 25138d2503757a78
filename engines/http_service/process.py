"""A service as a child of this process: started, waited for, and ended with it however it ends."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engines.base import EngineError

_START_S = 600.0  # an index may have to be built anew from its catalogue
_STOP_S = 60.0  # for the engine behind it to write what it keeps
_SETTINGS_BY_NAME = "BAKEOFF_SERVICE_"  # begins variables of whoever runs this, for a service of their own
_READY = "listening on "
# Becomes the service after asking the kernel for SIGKILL when the thread that started it ends, be it by kill -9. In a
# process of its own: code between fork and exec is not safe beside other threads.
_BECOME = """
import ctypes, os, signal, sys
parent, *command = sys.argv[1:]
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(parent):
    sys.exit("the process that started this one has ended")
os.execv(command[0], command)
"""


class ServiceProcess:
    """`bakeoff serve` on a free port of this machine. Its log is beside its settings, in `folder`."""

    _process: subprocess.Popen[bytes] | None = None

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """Returns once it answers. Raises EngineError where it does not start, with the end of its log."""
        self._log = folder / "service.log"
        config = folder / "service.yaml"
        # JSON is YAML, too, but for its escapes of characters beyond U+FFFF.
        config.write_text(json.dumps(settings, ensure_ascii=False), "utf-8")
        serve = [sys.executable, "-m", "harness.cli", "serve", "--config", str(config)]
        kept = {name: text for name, text in os.environ.items() if not name.startswith(_SETTINGS_BY_NAME)}
        with self._log.open("wb") as said:
            # A session of its own, so that Ctrl-C in a terminal reaches us alone and we end it in our time.
            process = self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BECOME, str(os.getpid()), *serve],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                env=kept,
                start_new_session=True,
            )
        try:
            self.url = self._address(process)
        except BaseException:
            process.kill()
            self.stop()
            raise

    def _address(self, process: subprocess.Popen[bytes]) -> str:
        """What it says once it answers."""
        assert process.stdout is not None
        deadline, said = time.monotonic() + _START_S, b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not said.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise EngineError(
                        f"http-service: the service did not answer within {_START_S:g} s: {self._end_of_log()}"
                    )
                if not (part := os.read(process.stdout.fileno(), 4096)):
                    raise EngineError(f"http-service: the service did not start: {self._end_of_log()}")
                said += part
        line = said.decode().strip()
        if not line.startswith(_READY):
            raise EngineError(f"http-service: the service said {line!r} in the place of its address")
        return line.removeprefix(_READY)

    def _end_of_log(self) -> str:
        lines = self._log.read_text("utf-8", "replace").strip().splitlines()
        errors = [line for line in lines if line.startswith("error: ")]
        return " | ".join(errors or lines[-5:]) or "it said nothing"

    def __del__(self) -> None:
        if self._process is not None:  # whoever asked it no longer exists
            self._process.kill()
            self.stop()

    def stop(self) -> None:
        """Has it end in order, and kills it where it does not; a second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
