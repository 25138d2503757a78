"""One of several processes that answer for `bakeoff serve --workers N`."""

from __future__ import annotations

import traceback
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from harness.cli.printing.output import prepare_streams, say
from harness.cli.service.serve import answer, logged
from harness.errors import BakeoffError

if TYPE_CHECKING:
    from service.settings.model import Settings


def work(number: int, settings: Settings, connection: Connection) -> None:
    """See `service.application.listening.workers.Workers`. The first one says for all how the service starts."""
    from service.application.listening.workers import READY, received

    prepare_streams()
    tell = logged(settings)
    answering = False

    def ready() -> None:
        nonlocal answering
        answering = True
        connection.send(READY)

    try:
        with received(connection) as bound:
            answer(settings, bound, ready, tell, quiet=number > 0)
    except (BakeoffError, OSError) as error:
        code = error.exit_code if isinstance(error, BakeoffError) else BakeoffError.exit_code
        lines = str(error).splitlines()
        if answering:
            for line in lines:
                tell(f"error: {line}")
        else:
            connection.send((code, lines))
        raise SystemExit(code) from None
    except Exception:  # noqa: BLE001 - a bug: shown in full, but without credentials
        say(traceback.format_exc())
        raise SystemExit(BakeoffError.exit_code) from None
