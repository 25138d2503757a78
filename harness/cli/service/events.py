"""`bakeoff events export`: what users did, as files that a model is trained on."""

from __future__ import annotations

import argparse
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.printing.output import cache_folder, say, show
from harness.cli.service.given import given_settings
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from service.events.export import Exported
    from service.settings.model import Settings


def events(options: argparse.Namespace) -> int:
    settings = given_settings(options, ("data",)).settings
    from service.catalogue.export import write_items
    from service.catalogue.opening import catalogue_place
    from service.events.export import write_impressions, write_interactions
    from service.events.opening import open_events

    since_ms = 0 if options.since is None else _since_ms(options.since)
    folder = _folder(settings)
    with closing(open_events(settings.store, folder, made=False)) as held:
        _told(options.to, write_interactions(held, Path(options.to), since_ms))
        if options.impressions is not None:
            _told(options.impressions, write_impressions(held, Path(options.impressions), since_ms))
    if options.items is not None:
        written = write_items(catalogue_place(settings.store, folder), Path(options.items))
        show(f"{options.items}: {written:,} listings")
    files = f"items: {options.items or '...'}, interactions: {options.to}"
    say(f"train on them: data: {{kind: files, {files}}} (docs/models.md)")
    return 0


def _folder(settings: Settings) -> Path:
    """That of the service. Raises ConfigurationError where the settings do not tell."""
    from harness.cli.printing.terminal import ProgressBar
    from service.application.planning.plan import plan
    from service.database.opening import is_url

    if settings.data is not None or is_url(settings.store or ""):
        return Path(settings.data or ".")
    if settings.dataset is None and settings.model is None:
        raise ConfigurationError(
            "data: is not named; give the service's folder with --data, such as served/shop, or its settings with "
            "--config"
        )
    with ProgressBar() as bar:
        return plan(settings, cache=cache_folder(), progress=bar).folder


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
