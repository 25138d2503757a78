"""The command line: one command in, one exit code out."""

from __future__ import annotations

import errno
import importlib
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from engines.server.address import secrets_of
from harness.cli.arguments import parse
from harness.cli.printing.output import prepare_streams, say
from harness.errors import BakeoffError

# Loaded when asked for: `bakeoff --help` imports none of them.
COMMANDS = {
    "run": "harness.cli.run:run",
    "report": "harness.cli.results:report",
    "gate": "harness.cli.results:gate",
    "results": "harness.cli.reading.results:results",
    "compare": "harness.cli.reading.compare:compare",
    "data": "harness.cli.facts:data",
    "engines": "harness.cli.facts:engines",
    "calibrate": "harness.cli.facts:show_calibration",
    "train": "harness.cli.models.train:train",
    "ablate": "harness.cli.models.ablate:ablate",
    "encode": "harness.cli.models.encode:encode",
    "dimensions": "harness.cli.models.dimensions:dimensions",
    "evaluate": "harness.cli.models.evaluate:evaluate",
    "serve": "harness.cli.service.serve:serve",
    "ingest": "harness.cli.service.ingest:ingest",
    "service": "harness.cli.service.operate:service",
    "events": "harness.cli.service.events:events",
    "soak": "harness.cli.service.soak:soak",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    prepare_streams()
    signal.signal(signal.SIGTERM, _interrupt)
    given = sys.argv[1:] if arguments is None else arguments
    # The message on a mistyped option repeats its value, which may be an address with a password.
    secrets = [secret for text in given for secret in secrets_of(text)]
    try:
        options = parse(arguments)
        module, _, name = COMMANDS[options.command].partition(":")
        code: int = getattr(importlib.import_module(module), name)(options)
        return code
    except BakeoffError as error:
        for line in str(error).splitlines():
            say(f"error: {line}", secrets)
        return error.exit_code
    except KeyboardInterrupt:
        say("error: interrupted")
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        remedy = (
            "raise the limit on open files (ulimit -n)"
            if error.errno in (errno.EMFILE, errno.ENFILE)
            else "check the path, its permissions and the room on the disk"
        )
        say(f"error: {what}; {remedy}", secrets)
    except MemoryError as error:
        say(
            f"error: out of memory. {error}".strip() + "\nAsk for less data, or raise the limit (ulimit -v)",
            secrets,
        )
    except Exception:  # noqa: BLE001 - a bug: shown in full, but without credentials
        say(traceback.format_exc(), secrets)
    return BakeoffError.exit_code


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
