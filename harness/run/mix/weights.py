"""A scenario's weights, made those of the workloads that a data set offers."""

from __future__ import annotations

from collections.abc import Mapping

from engines.meant import choices
from harness.errors import ConfigurationError
from harness.oracle.corpus import Corpus
from harness.run.mix.log import weights_of_log
from harness.scenario.specs import Scenario


def weighed(scenario: Scenario, corpus: Corpus) -> tuple[Scenario, list[str]]:
    """The scenario with a weight for each workload, summing to 1, and notes on where they come from.

    Unchanged where it names no weights. Raises ConfigurationError.
    """
    decision = scenario.decision
    if decision.weights_from is not None:
        found, notes = weights_of_log(decision.weights_from, corpus, scenario.source, scenario.seed)
    elif decision.weights is not None:
        found, notes = _of_workloads(decision.weights, corpus, scenario.source)
    else:
        return scenario, []
    total = sum(found.values())
    shares = {name: weight / total for name, weight in found.items() if weight}
    update = {"weights": shares, "weights_from": None}
    return scenario.model_copy(update={"decision": decision.model_copy(update=update)}), notes


def _of_workloads(
    given: Mapping[str, float], corpus: Corpus, source: str
) -> tuple[dict[str, float], list[str]]:
    """A filter that stands for several workloads shares its weight equally among those that have none of their own."""
    problems = []
    for name in given:
        base, sign, _ = name.partition(":")
        if sign and name not in corpus.workloads and name not in corpus.skipped:
            sets = corpus.filters.get(base, [])
            known = choices(name, sets, f"filter sets of {corpus.dataset.name}")
            problems.append(f"{source}: decision.weights: unknown filter set '{name}' ({known})")
    found: dict[str, float] = {}
    for name, workloads in corpus.filters.items():
        own = {one: given[one] for one in workloads if one in given and one != name}
        rest = [one for one in workloads if one not in own]
        found |= own | {one: given.get(name, 0.0) / len(rest) for one in rest}
    if not any(found.values()) and not problems:
        problems.append(
            f"{source}: decision.weights: {corpus.dataset.name} offers none of the filters that have one "
            f"({', '.join(given)}); give one to a filter that it offers ({', '.join(corpus.workloads)})"
        )
    if problems:
        raise ConfigurationError(problems)
    lost = [name for name, weight in given.items() if weight and name in corpus.skipped]
    notes = [f"decision.weights: filter {name} was left out, and its weight with it" for name in lost]
    return found, notes
