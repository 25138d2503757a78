"""The command line: one command in, one exit code out."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from harness.cli.arguments import parse
from harness.cli.output import say
from harness.errors import BakeoffError

# Loaded when asked for: `bakeoff --help` imports none of them.
COMMANDS = {
    "run": "harness.cli.run:run",
    "report": "harness.cli.results:report",
    "gate": "harness.cli.results:gate",
    "data": "harness.cli.facts:data",
    "engines": "harness.cli.facts:engines",
    "calibrate": "harness.cli.facts:show_calibration",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        options = parse(arguments)
        module, _, name = COMMANDS[options.command].partition(":")
        code: int = getattr(importlib.import_module(module), name)(options)
        return code
    except BakeoffError as error:
        for line in str(error).splitlines():
            say(f"error: {line}")
        return error.exit_code
    except KeyboardInterrupt:
        say("error: interrupted")
        return BakeoffError.exit_code
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BakeoffError.exit_code
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        say(f"error: {what}; check the path, its permissions and the room on the disk")
        return BakeoffError.exit_code


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
