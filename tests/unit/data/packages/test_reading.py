"""An index is read as it is written, and a damaged one is told by file and line."""

from __future__ import annotations

import itertools

import pytest

from harness.data.shipped.packages.control import stanzas
from harness.data.shipped.packages.reading import Package, read_packages
from harness.data.shipped.packages.versions import version_key
from harness.errors import DatasetError
from tests.unit.data.packages.example_index import ADVENTURE, EDITOR, PACKAGES, TRANSLATION

ADVENTURE_READ = Package(
    name="adventure",
    version="1.0-2",
    section="games",
    priority="optional",
    installed_size=512,
    tags=("game::adventure", "interface::commandline", "role::program", "use::gameplaying"),
    summary="text adventure in a cave",
    text='text adventure in a cave. Find treasure, avoid dwarves, and "come back alive". * many rooms',
)


def read(packages: str, translation: str = TRANSLATION) -> list[Package]:
    return read_packages(packages.encode(), translation.encode(), "main", "amd64")


def test_packages_are_joined_with_their_long_descriptions_and_keep_their_gaps() -> None:
    adventure, editor, library = read(PACKAGES)
    assert adventure == ADVENTURE_READ
    assert (editor.installed_size, editor.tags, editor.text) == (
        None,
        (),
        "editor of source code with plugins",
    )
    assert (library.name, library.version, library.tags) == ("libcave", "2:0.9~rc1-1", ("role::shared-lib",))


@pytest.mark.parametrize(
    "packages",
    [
        ADVENTURE.replace("\n", "\r\n"),
        "\n\n \n" + ADVENTURE + "\n\n\n",
        ADVENTURE.rstrip(),
        ADVENTURE.replace("Package:", "PACKAGE:").replace("Tag:", "tAg:"),
        ADVENTURE.replace(" role::program,\n", "\trole::program, role::program,\n"),
        ADVENTURE.replace("Section: games", "Section:   games  "),
    ],
    ids=["CRLF", "empty lines", "no line end", "case", "a tab, and a tag twice", "spaces"],
)
def test_what_the_format_allows_reads_the_same(packages: str) -> None:
    assert read(packages) == [ADVENTURE_READ]


def test_a_long_description_in_the_index_itself_counts_where_there_is_no_translation() -> None:
    inside = EDITOR.replace("plugins\n", "plugins\n Fast.\n .\n Small.\n")
    assert read(inside)[0].text == "editor of source code with plugins. Fast. Small."


def test_of_several_versions_the_newest_is_taken_wherever_it_stands() -> None:
    old, new = ADVENTURE.replace("1.0-2", "1.0-2~bpo1"), ADVENTURE.replace("1.0-2", "1.0-10")
    for order in itertools.permutations([old, new, ADVENTURE]):
        assert [one.version for one in read("\n".join(order))] == ["1.0-10"]


def test_packages_of_other_architectures_and_components_are_left_out() -> None:
    arm = EDITOR.replace("Architecture: all", "Architecture: arm64")
    contrib = EDITOR.replace("pool/main/", "pool/contrib/")
    updates = EDITOR.replace("pool/main/", "pool/updates/main/")
    assert [one.name for one in read("\n".join([ADVENTURE, arm, contrib]))] == ["adventure"]
    assert [one.name for one in read(updates)] == ["editor"]
    with pytest.raises(DatasetError, match=r"Packages: has no package of main for amd64"):
        read(arm)


@pytest.mark.parametrize("field", ["Package", "Version", "Architecture", "Description", "Filename"])
def test_a_missing_field_is_told_with_the_line_of_its_package(field: str) -> None:
    lines = [line for line in EDITOR.splitlines() if not line.startswith(f"{field}:")]
    with pytest.raises(
        DatasetError, match=rf"^Packages, line 14: the stanza has no {field}; the file is damaged"
    ):
        read(ADVENTURE + "\n" + "\n".join(lines))


@pytest.mark.parametrize(
    ("packages", "told"),
    [
        ("<html>\n", "Packages, line 1: is no 'Field: text', '<html>'"),
        (" on\nPackage: a\n", "Packages, line 1: goes on with no field before it"),
        (f"{ADVENTURE}\n on\n", "Packages, line 14: goes on with no field before it"),
        (
            ADVENTURE.replace("\nSection", "\nVersion: 2\nSection"),
            "Packages, line 10: the field is there twice",
        ),
        (ADVENTURE.replace("512", "-3"), "Packages, line 1: Installed-Size is '-3', no whole number"),
        (ADVENTURE.replace("512", "٣"), "Packages, line 1: Installed-Size is '٣', no whole number"),
        (ADVENTURE[: ADVENTURE.index("Description")], "Packages, line 1: the stanza has no Filename"),
    ],
)
def test_a_damaged_index_is_told_with_its_line(packages: str, told: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read(packages)
    assert str(caught.value).startswith(told)


def test_text_that_is_no_utf8_is_told_with_its_line() -> None:
    with pytest.raises(DatasetError, match="Packages, line 2: is no UTF-8"):
        list(stanzas("Packages", b"Package: a\nMaintainer: Andr\xe9\n"))


def test_a_damaged_translation_is_told() -> None:
    with pytest.raises(DatasetError, match=r"Translation-en, line 1: the stanza has no Description-en"):
        read(PACKAGES, TRANSLATION.partition("Description-en")[0])


def test_versions_are_in_the_order_of_dpkg() -> None:
    ascending = [
        "0.9",
        "1.0~~",
        "1.0~rc1",
        "1.0",
        "1.0-1",
        "1.0-1.1",
        "1.0a",
        "1.0+b1",
        "1.0.1",
        "1.9",
        "1.10",
        "1:0.1",
    ]
    assert sorted(ascending[1::2] + ascending[::2], key=version_key) == ascending
    assert version_key("1.01") == version_key("1.1") == version_key("0:1.1")
