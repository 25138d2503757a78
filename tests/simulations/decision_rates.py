"""How often a decision picks an engine that is not faster, finds the one that is, and how true shown figures are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from reports.decide.decision import Decision, decide
from tests.simulations.decision_runs import World, mean_rate, simulated_run
from tests.simulations.workers import workers

RUNS = 400
MOST_WRONG_PICKS = 0.05
LARGEST_BIAS = 0.01
GRIDS = ((1, 1), (1, 50), (3, 3), (50, 50), (1, 1, 1, 1, 1, 1), (1, 3, 50))
# Entries by adapter: two and two, as for FAISS's and another's index types; one lonely rival of many; several engines.
ENTRIES = ((0, 0, 1, 1), (0, 0, 0, 0, 0, 0, 1), (0, 0, 1, 2))
NOISES = (0.03, 0.10)  # of a window; what follows is the same for both, but for what is shown
TRIALS = (3, 5)


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of simulated runs. right: the first engine was picked; wrong: another one, or any of equal ones.

    bias: mean relative error of the figure shown for the engine with most settings, over all runs. leader_bias: of the
    figure of whichever engine led: it is chosen for leading, so where engines are equal its figure is a little high.
    """

    right: float
    wrong: float
    bias: float
    leader_bias: float


@dataclass(frozen=True, slots=True)
class EngineRates:
    """Shares of simulated runs that pick an entry or an engine alone.

    right: of the first adapter where it is ahead; wrong: of another one, or of any where all are equal. entries: those
    that pick an entry, which is wrong, for those of one adapter are always equal.
    """

    right: float
    wrong: float
    entries: float


def engine_rates(world: World, count: int = RUNS, seed: int = 0) -> EngineRates:
    """What `count` runs of a world with several entries an adapter lead to."""
    rng = np.random.default_rng(seed)
    decisions = [decide(simulated_run(world, rng)) for _ in range(count)]
    picks = [decision.pick.adapter for decision in decisions if decision.pick is not None]
    right = sum(adapter == "adapter-0" for adapter in picks) if world.ahead else 0
    entries = sum(decision.verdict == "pick" for decision in decisions)
    return EngineRates(right / count, (len(picks) - right) / count, entries / count)


def rates(world: World, count: int = RUNS, seed: int = 0) -> Rates:
    """What `count` runs of a world lead to."""
    rng = np.random.default_rng(seed)
    decisions = [decide(simulated_run(world, rng)) for _ in range(count)]
    picks = [decision.pick.engine for decision in decisions if decision.pick is not None]
    right = sum(pick == "engine-0" for pick in picks) if world.ahead else 0
    largest = f"engine-{max(range(len(world.grids)), key=world.grids.__getitem__)}"
    leaders = [decision.leader.engine for decision in decisions if decision.leader is not None]
    return Rates(
        right / count,
        (len(picks) - right) / count,
        _bias(world, decisions, [largest] * count),
        _bias(world, decisions, leaders),
    )


def _bias(world: World, decisions: list[Decision], engines: list[str]) -> float:
    errors = []
    for decision, engine in zip(decisions, engines, strict=True):
        choice = next(entry.choice for entry in decision.standings if entry.engine == engine)
        if choice is not None and choice.score is not None:
            truth = mean_rate(world, int(engine.removeprefix("engine-")), choice.search["ef"])
            errors.append(choice.score / truth - 1)
    return float(np.mean(errors))


def equal_worlds() -> list[World]:
    """Engines that are equally fast, whatever their grids: every pick is wrong."""
    found = [
        World(grids=grids, trials=trials, cell=noise, filters=1)
        for grids, trials, noise in product(GRIDS, TRIALS, NOISES)
        if noise == NOISES[1] or (len(grids) == 2 and grids[0] == 1)
    ]
    # A session, a trial and a run that are slow as a whole, beside the noise of each window.
    found += [
        World(grids=grids, trials=trials, cell=0.05, session=0.05, trial=0.05, filters=1)
        for grids, trials in product(((1, 1), (1, 50)), TRIALS)
    ]
    return found


def unequal_worlds() -> list[World]:
    """The first engine is faster; settings of a grid lie 20 % apart, as those of a search effort do."""
    return [
        World(grids=(3, 3), ahead=ahead, spread=0.2, trials=trials, cell=noise, filters=1)
        for noise, ahead, trials in product(NOISES, (0.0, 0.03, 0.10, 0.20), TRIALS)
    ]


def entry_worlds() -> list[World]:
    """Adapters with several entries, equally fast; and one whose two entries are equal and clearly ahead."""
    equal = [
        World(grids=(1,) * len(adapters), adapters=adapters, trials=trials, cell=noise, filters=1)
        for adapters, trials, noise in product(ENTRIES, TRIALS, NOISES)
    ]
    equal += [
        World(grids=(3, 3, 3, 3), adapters=ENTRIES[0], trials=trials, cell=0.1, filters=1)
        for trials in TRIALS
    ]
    ahead = [
        World(grids=(1, 1, 1, 1), adapters=ENTRIES[0], ahead=0.3, trials=trials, cell=0.03, filters=1)
        for trials in TRIALS
    ]
    return equal + ahead


def all_engine_rates(worlds: list[World], count: int = RUNS) -> Iterator[tuple[World, EngineRates]]:
    """The rates of each world, as they are done."""
    with workers() as processes:
        jobs = [(world, processes.submit(engine_rates, world, count)) for world in worlds]
        for world, job in jobs:
            yield world, job.result()


def all_rates(worlds: list[World], count: int = RUNS) -> Iterator[tuple[World, Rates]]:
    """The rates of each world, as they are done; two processes share the work."""
    with workers() as processes:
        jobs = [(world, processes.submit(rates, world, count)) for world in worlds]
        for world, job in jobs:
            yield world, job.result()


def main(count: int = RUNS) -> bool:
    """Prints the rates; True where they are as promised."""
    print(
        f"Decisions over {count} simulated runs each; right and wrong picks, and the error of the figures shown."
    )
    print(f"{'grids':>20} trials noise ahead   right  wrong  figure  leader's")
    kept = True
    for world, found in all_rates(equal_worlds() + unequal_worlds(), count):
        good = found.wrong <= MOST_WRONG_PICKS and abs(found.bias) <= _accepted_bias(world, count)
        kept &= good
        print(_line(world, found) + ("" if good else "  NOT AS PROMISED"), flush=True)
    return _print_engine_rates(count) and kept


def _print_engine_rates(count: int) -> bool:
    print("Picks of engines with several entries; `entry`: those that name one of two equal entries.")
    print(f"{'entries by adapter':>20} trials noise ahead   right  wrong   entry")
    kept = True
    for world, found in all_engine_rates(entry_worlds(), count):
        good = max(found.wrong, found.entries) <= MOST_WRONG_PICKS
        kept &= good
        by_adapter = Counter(world.adapters).values()
        entries = "/".join(f"{number}x{world.grids[0]}" for number in by_adapter)
        print(
            f"{entries:>20} {world.trials:>6} {world.cell:>5.0%} {world.ahead:>5.0%} {found.right:>7.1%} "
            f"{found.wrong:>6.1%} {found.entries:>7.1%}" + ("" if good else "  NOT AS PROMISED"),
            flush=True,
        )
    return kept


def _line(world: World, found: Rates) -> str:
    grids = "/".join(map(str, world.grids))
    noise = f"{world.cell:.0%}" + ("+" if world.session else "")
    return (
        f"{grids:>20} {world.trials:>6} {noise:>5} {world.ahead:>5.0%} {found.right:>7.1%} {found.wrong:>6.1%} "
        f"{found.bias:>+7.1%} {found.leader_bias:>+9.1%}"
    )


def _accepted_bias(world: World, count: int) -> float:
    """The largest mean error of a figure without bias: 1 %, or three standard errors of so many runs."""
    of_run = world.run**2 + (world.cell**2 + world.session**2 + world.trial**2) / world.trials
    return max(LARGEST_BIAS, 3 * math.sqrt(of_run / count))


def rows(count: int = RUNS) -> list[dict[str, Any]]:
    """The worst wrong picks of equal engines for 3 and 5 trials, as rows of `make perf`."""
    found = list(all_rates(equal_worlds(), count))
    return [
        {
            "name": f"wrong picks between equal engines, {trials} trials, worst of {len(found) // 2} kinds of runs",
            "ours": (worst := max(rate.wrong for world, rate in found if world.trials == trials)),
            "reference": MOST_WRONG_PICKS,
            "ratio": worst / MOST_WRONG_PICKS,
            "unit": "share",
            "note": f"of {count} simulated runs each, at most 5 %",
        }
        for trials in TRIALS
    ]
