"""The page of a soak, written as report.html beside its result.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.results.files import write_text
from harness.results.text import visible_in
from reports.soak.charts import charts
from reports.template import filled
from reports.wording import number, percent

PAGE = "report.html"
_TEMPLATE = Path(__file__).parent / "templates" / "soak.html.j2"
_OUTCOMES = ("answered", "fallback", "refused", "late", "wrong", "lost", "cut")
_MARKS = {True: ("✔", "holds", "kept"), False: ("✘", "fails", "broken"), None: ("–", "gap", "not judged")}
_GONE = (
    "Half of the questions are asked exactly where a listing was that the load has just removed, so that one which is "
    "still in the index comes first."
)


def write_report(folder: Path, result: Mapping[str, Any]) -> Path:
    """The page of a result.json. Raises MeasurementError where it cannot be written."""
    path = folder / PAGE
    write_text(path, render(result))
    return path


def render(result: Mapping[str, Any]) -> str:
    """The page. Names come from users and are escaped; only our own SVG is trusted."""
    shown = visible_in(dict(result))
    promises = [_promise(one) for one in shown["promises"]]
    return filled(
        _TEMPLATE,
        {
            "name": shown["name"],
            "started_at": shown["started_at"],
            "broken": any(one["kept"] is False for one in shown["promises"]),
            "verdict": verdict(shown["promises"]),
            "why": _GONE,
            "numbers": _numbers(shown),
            "promises": promises,
            "charts": charts(shown["course"], shown["memory"]),
            "kinds": [_kind(line) for line in shown["kinds"] if line["count"]],
            "outcomes": _OUTCOMES,
            "facts": _facts(shown),
        },
    )


def verdict(promises: list[Mapping[str, Any]]) -> str:
    """In a few words."""
    broken = sum(one["kept"] is False for one in promises)
    judged = sum(one["kept"] is not None for one in promises)
    unknown = f", {len(promises) - judged} could not be judged" if judged < len(promises) else ""
    if broken:
        return f"{broken} of {judged} promises broken{unknown}"
    return f"All {judged} promises kept{unknown}"


def quantity(value: float | None, unit: str) -> str:
    """A promise's figure as people read it; a dash where there is none."""
    if value is None:
        return "–"
    if unit == "share":
        return percent(value)
    return f"{number(value)} {unit}".rstrip() if unit else f"{value:,.0f}"


def _promise(one: Mapping[str, Any]) -> dict[str, str]:
    mark, look, word = _MARKS[one["kept"]]
    relation = "≥" if one["least"] else "≤"
    limit = f"{relation} {quantity(one['limit'], one['unit'])}"
    return {
        "mark": mark,
        "look": look,
        "word": word,
        "what": one["what"],
        "value": quantity(one["value"], one["unit"]),
        "limit": limit if one["limit"] else "none",
        "note": one["note"],
    }


def _numbers(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    figures, plan = result["totals"], result["load"]["plan"]
    hits, looked_for = figures["hits"], figures["looked_for"]
    return [
        (
            f"{figures['stale']:,.0f}",
            f"sold among {hits:,.0f} hits, while {looked_for:,.0f} listings were removed",
        ),
        (quantity(figures["searchable_p99_ms"], "ms"), "until a new listing was searchable, P99"),
        (quantity(figures["read_p99_ms"], "ms"), "until a question was answered, P99"),
        (
            f"{result['load']['counts']['due']:,}",
            f"requests in {number(plan['seconds'])} s: {number(plan['reads_per_s'])} questions and "
            f"{number(plan['writes_per_s'])} writes a second",
        ),
    ]


def _kind(line: Mapping[str, Any]) -> dict[str, Any]:
    times = [quantity(line[key], "ms") for key in ("p50_ms", "p99_ms")]
    return {
        "name": line["kind"],
        "counts": [f"{line[name]:,}" for name in ("count", *_OUTCOMES)],
        "times": times,
    }


def _facts(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    load, env, figures = result["load"], result["environment"], result["totals"]
    memory, after = env.get("memory_bytes"), result["afterwards"]
    return [
        *_service(result),
        ("Load", f"{load['users']} connections of {load['workers']} processes, seed {load['plan']['seed']}"),
        ("Sent late, P99", quantity(figures["sent_late_p99_ms"], "ms")),
        ("Sold hits asked for before the 100 ms were over", quantity(figures["crossing"], "")),
        ("Acknowledged writes looked for afterwards", f"{after['compared']:,}" if after else "none"),
        ("Processor", f"{env.get('cpu', '?')}, {env.get('cores', '?')} cores{_shared(result)}"),
        ("Memory", f"{memory / 2**30:.1f} GiB" if memory else "?"),
        ("System", f"{env.get('os', '?')}, Python {env.get('python', '?')}"),
        ("Started", result["started_at"]),
        ("Finished", result["finished_at"]),
    ]


def _service(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    service = result["service"]
    if service is None:
        return [("Service", result["load"]["host"])]
    code = service["exit_code"]
    return [
        ("Service", " ".join(service["options"])),
        ("Ready after", quantity(service["ready_s"], "s")),
        ("Ended", "did not end, and was killed" if code is None else f"exit code {code}"),
    ]


def _shared(result: Mapping[str, Any]) -> str:
    return (
        ", shared by service and load"
        if result["service"]
        else ", of the machine that the load was told from"
    )
