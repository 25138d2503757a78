"""What production needs of an engine whatever its figures: declared by its adapter, or shown by the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.results.result import UNSUPPORTED, Measurement
from reports.decide.cells import Cells
from reports.decide.checks.requirements import Check
from reports.wording import listing

PREFIX = "needs "  # prefix of a need's text among the requirements


@dataclass(frozen=True, slots=True)
class NeedSpec:
    """A need, and what shows that it is met.

    lacking: how an engine without it is described. capabilities: those of the adapter of which one is enough.
    task: the kind of task that shows it by `shown_by`, all of them measured; where `none_lost` they count what was lost
    and must be 0. witness: what else in a run shows it, in words.
    """

    lacking: str
    capabilities: tuple[str, ...]
    task: str = ""
    shown_by: tuple[str, ...] = ()
    none_lost: bool = False
    witness: Callable[[Cells, str], str] | None = None


def _ran_as_server(cells: Cells, engine: str) -> str:
    return "it was measured as one" if cells.result.engines.get(engine, {}).get("server") else ""


def _several_clients(cells: Cells, engine: str) -> str:
    loads = ((cell, cell.params.get("load", {}).get("processes") or 1) for cell in cells.of_engine(engine))
    tasks = [cell.task for cell, processes in loads if cell.error is None and processes > 1]
    return f"measured in task {tasks[0]}" if tasks else ""


NEEDS: dict[str, NeedSpec] = {
    "update": NeedSpec("cannot replace items", ("update",), "updates", ("upserts_per_s",)),
    "delete": NeedSpec("cannot delete items", ("delete",), "updates", ("deletes_per_s",)),
    "durable": NeedSpec(
        "keeps nothing after a crash",
        ("durable",),
        "durability",
        ("reopened_lost", "killed_lost"),
        none_lost=True,
    ),
    "several_processes": NeedSpec(
        "cannot be used by several processes at once", ("multi_process", "server"), witness=_several_clients
    ),
    "server": NeedSpec("is no server", ("server",), witness=_ran_as_server),
    "cluster": NeedSpec("cannot be spread over several machines", ("cluster",)),
    "text": NeedSpec("cannot search by words", ("text",)),
}


def is_need(check: Check) -> bool:
    """Whether a check is that of a need."""
    return check.requirement.startswith(PREFIX)


def need_checks(cells: Cells, engine: str, needs: tuple[str, ...]) -> list[Check]:
    """The checks of one engine entry's needs, in their order."""
    return [_check(cells, engine, name, NEEDS[name]) for name in needs]


def lacking(checks: list[Check]) -> str:
    """What an engine lacks, in words: `keeps nothing after a crash and is no server`."""
    return listing([NEEDS[check.metric].lacking for check in checks])


def _check(cells: Cells, engine: str, name: str, need: NeedSpec) -> Check:
    declared = _declared(cells, engine, need)
    measured, proof = _measured(cells, engine, need)
    if measured is False or (measured is None and declared is False):
        why = proof if measured is False else "its adapter declares it"
        return _need_check(name, "fails", f"it {need.lacking} ({why})", "no")
    if measured:
        return _need_check(name, "holds", proof, "measured")
    if crash := _crash(cells, engine, need):
        return _need_check(name, "not measured", f"its test failed: {crash}", "unknown", failed=True)
    more = f": {proof}" if proof else ""
    if declared:
        return _need_check(name, "holds", f"declared by its adapter, not measured{more}", "declared")
    return _need_check(name, "not measured", f"neither declared nor measured{more}", "unknown")


def _need_check(name: str, status: str, reason: str, shown: str, *, failed: bool = False) -> Check:
    return Check.model_validate(
        {"requirement": PREFIX + name, "metric": name, "status": status, "met": status == "holds",
         "reason": reason, "shown": shown, "failed": failed}
    )  # fmt: skip


def _declared(cells: Cells, engine: str, need: NeedSpec) -> bool | None:
    """Whether the adapter declares one of the capabilities; None where it mentions none of them."""
    able = cells.result.engines.get(engine, {}).get("capabilities") or {}
    said = [bool(able[name]) for name in need.capabilities if name in able]
    return any(said) if said else None


def _measured(cells: Cells, engine: str, need: NeedSpec) -> tuple[bool | None, str]:
    """Whether the run shows that a need is met (None: it does not show it either way), and how."""
    if need.witness and (text := need.witness(cells, engine)):
        return True, text
    cells_of_task = [cell for cell in cells.of_engine(engine) if need.task and cell.kind == need.task]
    found = [_of_cell(cell, need) for cell in cells_of_task]
    failed = [text for measured, text in found if measured is False]
    partly = [text for measured, text in found if measured is None]
    if failed:
        return False, failed[0]
    if partly or not found:
        return None, next((text for text in partly if text), "")
    return True, f"measured in task {cells_of_task[0].task}"


def _crash(cells: Cells, engine: str, need: NeedSpec) -> str:
    """The error of a task that would have shown a need; empty where it did not fail. An adapter's word does not stand
    against it: a server that does not come back after a kill may have lost everything.
    """
    errors = (cell.error for cell in cells.of_engine(engine) if need.task and cell.kind == need.task)
    return next((error for error in errors if error and not error.startswith(UNSUPPORTED)), "")


def _of_cell(cell: Measurement, need: NeedSpec) -> tuple[bool | None, str]:
    if cell.error is not None:
        return None, cell.error.removeprefix(UNSUPPORTED)
    for metric in need.shown_by:
        value = cell.metrics.get(metric)
        if value and need.none_lost:
            of = cell.metrics.get("acknowledged")
            what = f"{value:,.0f} of {of:,.0f}" if of else f"{value:,.0f}"
            how = metric.replace("reopened_lost", "closing and opening").replace("killed_lost", "kill -9")
            return False, f"{what} acknowledged items were lost by {how}"
    missing = [metric for metric in need.shown_by if cell.metrics.get(metric) is None]
    return (None, cell.reasons.get(missing[0], "")) if missing else (True, "")
