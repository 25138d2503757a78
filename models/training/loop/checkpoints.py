"""Training saved after each epoch, whole or not at all, and gone on from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import jax
import numpy as np
import orbax.checkpoint as ocp

from harness.children.interrupts import postponed
from models.training.loop.trainer import EpochRecord, Progress


class Checkpoints:
    """The newest checkpoint of one training in a folder of its own. A context manager."""

    def __init__(self, folder: Path) -> None:
        options = ocp.CheckpointManagerOptions(
            max_to_keep=1, cleanup_tmp_directories=True, enable_async_checkpointing=False
        )
        self._manager = ocp.CheckpointManager(folder.absolute(), options=options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._manager.close()

    def save(self, progress: Progress) -> None:
        """Saves what training goes on from, in the foreground and to the end: orbax hangs where it is interrupted."""
        with postponed():
            self._manager.save(
                len(progress.records),
                args=ocp.args.Composite(
                    arrays=ocp.args.StandardSave(_arrays(progress)),
                    records=ocp.args.JsonSave([asdict(record) for record in progress.records]),
                ),
            )

    def newest(self, beginning: Progress) -> Progress:
        """The newest that is whole, `beginning` (of the same shapes) where there is none."""
        newest = self._manager.latest_step()
        if newest is None:
            return beginning
        found = self._manager.restore(
            newest,
            args=ocp.args.Composite(
                arrays=ocp.args.StandardRestore(_arrays(beginning)), records=ocp.args.JsonRestore()
            ),
        )
        leaves, shape = jax.tree.flatten(_whole(beginning))
        saved: dict[str, Any] = found["arrays"]
        filled = [saved[str(at)] if np.size(leaf) else leaf for at, leaf in enumerate(leaves)]
        whole = jax.tree.unflatten(shape, filled)
        return Progress(**whole, records=[EpochRecord(**record) for record in found["records"]])


def _whole(progress: Progress) -> dict[str, Any]:
    return {"weights": progress.weights, "state": progress.state, "best": progress.best}


def _arrays(progress: Progress) -> dict[str, Any]:
    """By their places. Orbax refuses arrays without elements (of a catalogue without numbers, say): there is nothing in
    them to save.
    """
    leaves = jax.tree.leaves(_whole(progress))
    return {str(at): leaf for at, leaf in enumerate(leaves) if np.size(leaf)}
