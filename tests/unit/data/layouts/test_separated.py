"""Texts that hold several tags, split where the manifest says so; where it does not, the description points to them."""

from __future__ import annotations

import pytest

from engines.columns import decoded
from tests.unit.data.user_data import ROWS, Folder, every

CELLS = ["red | blue", "blue|red|red", "", "| green|", "red"]
TAGS = [["blue", "red"], ["blue", "red"], [], ["green"], ["red"]]


def csv(*cells: str) -> str:
    return "colours,n\n" + "".join(f'"{cells[row % len(cells)]}",{row}\n' for row in range(ROWS))


def test_a_column_of_csv_or_parquet_is_split_into_tags(folder: Folder) -> None:
    folder.text("attributes.csv", csv(*CELLS))
    for dataset in (folder.load(":tags.colours=|"), folder.load(":tags.colours='|'")):
        assert [(a.name, a.kind) for a in dataset.attributes] == [("colours", "tags"), ("n", "integer")]
        assert decoded(dataset.columns["colours"]) == every(lambda row: TAGS[row % 5])
    folder.text("dataset.yaml", 'metric: l2\ntags: {colours: "|"}\nfill: {colours: none}\n')
    folder.table(colours=every(lambda row: CELLS[row % 5] or None))
    assert decoded(folder.load().columns["colours"])[:5] == [words or ["none"] for words in TAGS]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("tags: {colour: '|'}", "tags: attributes.csv has no column 'colour' (did you mean 'colours'?"),
        ("tags: {n: '|'}", "attributes.csv: column 'n': is integer, only strings can be split; take it out of tags"),
        ("tags: {colours: ''}", "tags.colours must have at least 1 character, got ''"),
        ("tags: {colours: '|'}\ntext: colours", "column 'colours': is tags, only strings can be text; take it out of"),
    ],
)  # fmt: skip
def test_wrong_columns_and_separators_are_named(key: str, told: str, folder: Folder) -> None:
    folder.text("attributes.csv", csv(*CELLS))
    folder.text("dataset.yaml", f"metric: l2\n{key}\n")
    (problem,) = folder.problems()
    assert told in problem


def test_words_that_come_back_between_separators_are_noted(folder: Folder) -> None:
    words = ["red", "blue", "green", "black", "white"]
    pairs = [f"{one}; {other}" for one in words for other in words]
    folder.text("attributes.csv", csv(*pairs))
    assert folder.load().description.startswith(
        'colours seems to hold several words with ; between them; in dataset.yaml, tags: {colours: ";"} makes tags '
    )
    folder.text("attributes.csv", csv(*(f"coat {row}; warm as {row} coats" for row in range(ROWS))))
    assert folder.load().description == ""
