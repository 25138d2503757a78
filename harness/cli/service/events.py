"""`bakeoff events export`: what users did, as files that a model is trained on."""

from __future__ import annotations

import argparse
import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.output import say, show
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from service.events.export import Exported


def events(options: argparse.Namespace) -> int:
    from service.database.opening import is_url
    from service.events.export import write_impressions, write_interactions
    from service.events.opening import open_events
    from service.settings.reading import read_settings

    since_ms = 0 if options.since is None else _since_ms(options.since)
    config = Path(options.config) if options.config else None
    settings = read_settings(config, os.environ, {"data": options.data}).settings
    if settings.data is None and not is_url(settings.store or ""):
        raise ConfigurationError(
            "data: is not named; give the service's folder with --data, such as served/shop, or its settings with "
            "--config"
        )
    with closing(open_events(settings.store, Path(settings.data or "."), made=False)) as held:
        _told(options.to, write_interactions(held, Path(options.to), since_ms))
        if options.impressions is not None:
            _told(options.impressions, write_impressions(held, Path(options.impressions), since_ms))
    say(f"train on them: data: {{kind: files, items: ..., interactions: {options.to}}} (docs/models.md)")
    return 0


def _since_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"--since must be a time such as 2026-03-01 or 2026-03-01T12:00:00Z, got {text}"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _told(path: str, exported: Exported) -> None:
    rows = ", ".join(f"{count:,} {kind}s" for kind, count in exported.rows.items())
    first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (exported.first_ms, exported.last_ms))
    show(f"{path}: {rows}, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC")
