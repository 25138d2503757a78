"""Training by the sampled softmax on 10 thousand, 100 thousand and a million simulated listings: what an example costs.

Each catalogue in a process of its own, so that its peak memory is its own. The reference is the smallest catalogue.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

LISTINGS = (10_000, 100_000, 1_000_000)
INTERACTIONS, USERS = 5.0, 0.4  # a listing
STEPS, EPOCHS = 12, 3  # an epoch; the first compiles and is left out
CONFIGURATION: dict[str, Any] = {
    "name": "scale",
    "towers": {"dim": 128, "hidden": 256},
    "training": {"loss": "sampled", "batch": 1024, "epochs": EPOCHS},
}


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    found = []
    for listings in LISTINGS:
        command = [sys.executable, "-m", "tests.perf.training", str(listings)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    smallest = found[0]["examples_per_s"]
    return [
        {
            "name": f"training, {listings:,} listings / {LISTINGS[0]:,}",
            "ours": each["examples_per_s"],
            "reference": smallest,
            "ratio": each["examples_per_s"] / smallest,
            "unit": "examples/s",
            "note": f"{each['interactions']:,} interactions, made and encoded in {each['prepared_s']:.0f} s, "
            f"{each['peak_bytes'] / 2**30:.1f} GiB at most",
        }
        for listings, each in zip(LISTINGS, found, strict=True)
    ]


def measure(listings: int) -> dict[str, Any]:
    """Examples a second, seconds to simulate, split and encode, and the peak memory of the process."""
    import numpy as np

    from harness.progress import silent
    from models.training.config import TrainConfig
    from models.training.job import material_of, prepare, shape_of
    from models.training.loop.trainer import Trainer

    market = {
        "listings": listings,
        "users": round(USERS * listings),
        "interactions": round(INTERACTIONS * listings),
    }
    config = TrainConfig.model_validate(
        CONFIGURATION | {"data": {"kind": "marketplace", "marketplace": market}}
    )
    start = time.perf_counter()
    prepared = prepare(config, Path(), silent)
    prepared_s = time.perf_counter() - start
    material, training = material_of(config, prepared), prepared.split.training
    some = np.flatnonzero(training.lengths >= 2)[: STEPS * config.training.batch]
    few = replace(prepared.split, training=training.take(some))
    trainer = Trainer(
        material._replace(split=few), shape_of(config, prepared), config.towers, config.training
    )
    progress = trainer.beginning()
    trainer.train(progress, judge=lambda _: 0.0, save=lambda _: None, report=lambda *_: None)
    return {
        "examples_per_s": max(record.examples_per_s for record in progress.records[1:]),
        "interactions": len(prepared.interactions),
        "prepared_s": prepared_s,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
