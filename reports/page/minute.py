"""The questions of an architect, each with its answer in a sentence and the section that shows more."""

from __future__ import annotations

from dataclasses import dataclass

from reports.decide.decision import Decision
from reports.page.breaks import Answer
from reports.page.tables.requirement_table import COSTS, EngineRow
from reports.wording import listing


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and an answer in one or several parts."""

    question: str
    answers: tuple[Answer, ...]


def questions(
    decision: Decision, rows: list[EngineRow], found: list[Answer], lacking: list[str]
) -> list[Question]:
    """After what to pick, why and how sure, which are the head of the page.

    rows: of the table of requirements. found: what breaks the leader. lacking: what was not measured.
    """
    leader = decision.leader.engine if decision.leader else None
    asked = []
    if row := next((row for row in rows if row.engine == leader), None):
        asked.append(Question("What does it cost?", (Answer(row.engine, f"{costs(row)}.", "cost"),)))
    if decision.split:
        asked.append(
            Question("Where does each engine win?", (Answer("By filter", decision.split, "filters"),))
        )
    if found:
        asked.append(Question("What breaks it?", tuple(found)))
    if decision.sensitivity.sentences:
        text = " ".join(decision.sensitivity.sentences)
        asked.append(Question("What would flip the pick?", (Answer("By the figures alone", text, "flips"),)))
    text = f"{listing(lacking)}." if lacking else "nothing that this page has a place for."
    limits = Answer("Not in this run", text, "not-measured")
    asked.append(Question("What was not measured?", (limits,)))
    return asked


def costs(row: EngineRow) -> str:
    """`0.309 s CPU per 1,000 queries, ...`, what is known of it."""
    names = ("CPU per 1,000 queries", "memory", "on disk", "to build the index")
    assert len(names) == len(COSTS)
    told = [f"{cost.text} {name}" for cost, name in zip(row.costs, names, strict=True) if cost.text != "-"]
    return listing(told) or "not measured"
