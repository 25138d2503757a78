"""Going on with an interrupted run: what must be the same, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationError
from harness.results.model import model_of, named
from harness.results.result import RunResult, read_result
from harness.run.absent import LEFT_OUT

NOT_MEASURED = "not complete: "  # beginning of the note on missing cells; a resumed run drops that note


def resume(run: Path, fresh: RunResult) -> RunResult:
    """The result that a resumed run goes on with: what was measured without an error, and today's facts.

    Raises ConfigurationError with everything that differs from the run so far: its cells and new ones would stand
    under one name.
    """
    earlier = read_result(run)
    if different := list(_differences(earlier, fresh)):
        raise ConfigurationError(
            [
                f"{run}: cannot be resumed, its {text}; start a new run, or restore what it was measured with"
                for text in different
            ]
        )
    # The kept cells were measured on this version of a server; a session that runs again must find the same one.
    engines = {label: facts | earlier.engines.get(label, {}) for label, facts in fresh.engines.items()}
    return fresh.model_copy(
        update={
            "started_at": earlier.started_at,
            "measurements": [cell for cell in earlier.measurements if cell.error is None],
            "notes": [note for note in earlier.notes if not note.startswith((NOT_MEASURED, LEFT_OUT))],
            "engines": engines,
        }
    )


def _differences(earlier: RunResult, fresh: RunResult) -> Iterator[str]:
    """What has changed since, `python is another one: 3.11 then, 3.12 now`."""
    if earlier.scenario != fresh.scenario:
        yield "scenario is another one"
    for what, then, now in (
        ("dataset", earlier.dataset, fresh.dataset),
        ("hardware", earlier.environment, fresh.environment),
    ):
        if then.get("fingerprint") != now.get("fingerprint"):
            yield f"{what} is another one"
    models = model_of(earlier.dataset), model_of(fresh.dataset)
    if models[0] != models[1]:
        yield f"model is another one: {named(models[0])} then, {named(models[1])} now"
    versions = [("Python", earlier.environment.get("python"), fresh.environment.get("python"))]
    packages = [result.environment.get("packages") or {} for result in (earlier, fresh)]
    versions += [(name, packages[0].get(name), packages[1].get(name)) for name in packages[0] | packages[1]]
    added, left_out = (set(a.engines) - set(b.engines) for a, b in ((fresh, earlier), (earlier, fresh)))
    if added or left_out:
        yield f"engines are others: {_names(earlier)} then, {_names(fresh)} now (--engines)"
    versions += [
        (f"engine {label}", _client(earlier.engines[label]), _client(facts))
        for label, facts in fresh.engines.items()
        if label in earlier.engines
    ]
    for what, before, today in versions:
        if before != today:
            yield f"{what} is another version: {before or 'none'} then, {today or 'none'} now"


def _names(result: RunResult) -> str:
    return ", ".join(result.engines) or "none"


def _client(facts: dict[str, Any]) -> Any:
    """The version of what is installed here. In older results `version` may include the server's."""
    return facts.get("client", facts.get("version"))
