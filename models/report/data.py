"""What the model was trained on: what was read and why, what was left out, how cases were held back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.results.text import visible
from models.data.items import Items
from models.report.figures import NONE
from reports.wording import percent

Facts = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column as texts. missing, unknown: listings of which the model cannot use it."""

    name: str
    read_as: str
    why: str
    distinct: str
    missing: str
    unknown: str


def data_facts(model: Mapping[str, Any]) -> Facts:
    """Sizes, what is left out, and what the engines get."""
    data = model["data"]
    facts: Facts = [
        ("Listings", f"{data['items']:,}"),
        ("Users", f"{data['users']:,}"),
        ("Interactions read", f"{data['interactions']:,}"),
        ("Left out", _counts(data["left_out"])),
    ]
    facts += [("Note", visible(str(note))) for note in data["notes"]]
    if dataset := model.get("dataset"):
        filters = dataset["filters"]
        facts += [
            (
                "Written for engines",
                f"{dataset['items']:,} listings, {dataset['queries']:,} users as queries",
            ),
            ("Listings not written", f"{dataset['left_out']:,}, which no test user may be answered with"),
            ("Users with a filter of their own", f"{filters['filtered']:,} of {dataset['queries']:,}"),
        ]
    return facts


def split_facts(model: Mapping[str, Any]) -> Facts:
    """How test and validation cases were held back."""
    split = model["data"]["split"]
    return [
        ("Split", visible(split["why"] or f"{split['kind']}, as asked for")),
        ("Learnt from", f"{split['training']:,} pairs of a user and a listing"),
        ("Validation cases", f"{split['validation']:,}; they choose epoch and settings"),
        ("Test cases", f"{split['test']:,}; they are looked at once, for this page"),
        ("Targets left out", _counts(split["left_out"])),
    ]


def _counts(counts: Mapping[str, int]) -> str:
    return visible("; ".join(f"{count:,} {reason}" for reason, count in counts.items())) or "nothing"


def column_rows(model: Mapping[str, Any], items: Items) -> list[ColumnRow]:
    """The columns of the catalogue, and those that were not read; texts that are read as one stand together.

    Where the file's columns were chosen by a rule, `why` says by which.
    """
    features = model["data"]["features"]
    chosen = {column["name"]: column for column in model["data"]["columns"]}
    kinds = {**dict.fromkeys(items.categories, "category"), **dict.fromkeys(items.numbers, "number")}
    rows = []
    for name, missing in features["missing"].items():
        kind, parts = (kinds[name], [name]) if name in kinds else ("text", name.split(" + "))
        reasons = dict.fromkeys(chosen[part]["why"] for part in parts if part in chosen)
        rows.append(
            ColumnRow(
                visible(name),
                kind,
                visible("; ".join(reasons)) or NONE,
                _distinct(name, items, chosen),
                _of(missing, len(items)),
                _of(features["unknown"].get(name, 0), len(items)),
            )
        )
    return rows + [
        _unread(column) for column in chosen.values() if set(column["read_as"]) <= {"id", "listed"}
    ]


def _unread(column: Mapping[str, Any]) -> ColumnRow:
    """A column that the towers do not see."""
    kind = {"id": "id", "listed": "time of listing"}.get(next(iter(column["read_as"]), ""), "left out")
    distinct, missing = f"{column['distinct']:,}", f"{column['missing']:,}"
    return ColumnRow(visible(column["name"]), kind, visible(column["why"]), distinct, missing, NONE)


def _distinct(name: str, items: Items, chosen: Mapping[str, Any]) -> str:
    if name in chosen:
        return f"{chosen[name]['distinct']:,}"
    return f"{len(items.categories[name].words):,}" if name in items.categories else NONE


def _of(count: int, listings: int) -> str:
    return f"{count:,} ({percent(count / listings)})" if count and listings else f"{count:,}"
