"""The index of a service: its own, or one that it shares with other processes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from harness.errors import BakeoffError, ConfigurationError
from service.catalogue.store import Store
from service.indexing.collection import EngineChoice
from service.indexing.live import LiveIndex
from service.indexing.sharing.shared import SharedIndex


def start_index(
    store: Store,
    engine: EngineChoice,
    folder: Path,
    stack: ExitStack,
    prepare: Callable[[], None],
    *,
    shared: bool,
) -> LiveIndex | SharedIndex:
    """The index, which answers; `stack` closes it. prepare: called before it is opened by the process that keeps it up.

    Raises ConfigurationError, what the store raises and OSError.
    """
    try:
        if shared:
            one_of_many = SharedIndex(store, engine, folder)
            stack.callback(one_of_many.close)
            one_of_many.start(prepare)
            return one_of_many
        prepare()
        index = LiveIndex(store, engine, folder)
        stack.callback(index.close)
        index.start()
    except (BakeoffError, OSError):
        raise
    except Exception as error:  # adapters raise what their client raises
        text = str(error) or type(error).__name__
        raise ConfigurationError(f"engine {engine.name} does not start: {text}") from error
    return index
