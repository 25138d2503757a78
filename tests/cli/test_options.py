"""Options of the command line that make no sense are refused with what they must be, and names with what was meant."""

from __future__ import annotations

import pytest

from harness.cli.arguments import parse
from harness.errors import ConfigurationError

NONSENSE = ["", " ", "nan", "inf", "-1", "1e400", "x", "1.5.2"]
NUMBERS = [
    ("run smoke --rows", "1000"),
    ("run smoke --queries", "10"),
    ("run smoke --trials", "5"),
    ("gate a b --tolerance", "5%"),
    ("gate a b --run-offset", "2.5"),
    ("dimensions m --trials", "1"),
    ("dimensions m --tolerance", "1"),
    ("dimensions m --dims", "32,64"),
    ("evaluate m --queries", "7"),
    ("serve --port", "0"),
    ("serve --workers", "2"),
    ("soak --minutes", "0.05"),
    ("soak --reads", "0"),
    ("soak --writes", "12.5"),
    ("soak --users", "64"),
    ("soak --workers", "2"),
    ("soak --seed", "0"),
]


def option(parsed: object, command: str) -> object:
    return getattr(parsed, command.rpartition("--")[2].replace("-", "_"))


@pytest.mark.parametrize(("command", "sound"), NUMBERS)
def test_every_numeric_option_refuses_nonsense(command: str, sound: str) -> None:
    assert option(parse([*command.split(), sound]), command) is not None
    for text in NONSENSE:
        *words, name = command.split()
        with pytest.raises(ConfigurationError, match=rf"{name}: .*must be .*got '{text}'"):
            parse([*words, f"{name}={text}"])


@pytest.mark.parametrize(
    ("command", "beyond"),
    [
        ("run smoke --trials", 1001),
        ("run smoke --rows", 0),
        ("serve --port", 65536),
        ("serve --workers", 0),
        ("soak --minutes", 0),
        ("soak --users", 0),
        ("soak --workers", 100_000),
        ("soak --reads", 10**9),
        ("gate a b --tolerance", 100),
    ],
)
def test_numbers_beyond_what_is_possible_are_refused(command: str, beyond: float) -> None:
    with pytest.raises(ConfigurationError, match=rf"must be .*, got '{beyond}'"):
        parse([*command.split(), str(beyond)])


@pytest.mark.parametrize("command", ["run smoke --engines", "dimensions m --engines", "ablate m --only"])
@pytest.mark.parametrize("text", ["", ",", "a,,b", "a,"])
def test_lists_of_names_hold_no_empty_one(command: str, text: str) -> None:
    assert option(parse([*command.split(), "a, b"]), command) == ["a", "b"]
    with pytest.raises(ConfigurationError, match=r"must be names with a comma between two, got"):
        parse([*command.split(), text])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("runn smoke", "unknown 'runn' (did you mean 'run'? known: run, report,"),
        ("run smoke --enginse=a", "unrecognized arguments: --enginse=a (did you mean '--engines'?)"),
        ("run smoke --xyz", "unrecognized arguments: --xyz. See: bakeoff run --help"),
        ("gate a b --force hardwear", "unknown 'hardwear' (did you mean 'hardware'? known: scenario,"),
        ("service chek", "unknown 'chek' (did you mean 'check'? known: check,"),
    ],
)
def test_commands_and_options_that_are_unknown_are_told_what_was_meant(line: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(line.split())
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "command",
    ["service check", "service rebuild", "service key", "events export", "data list", "data describe"],
)
def test_commands_of_commands_end_their_help_with_examples_of_themselves(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([*command.split(), "--help"])
    assert ended.value.code == 0
    assert f"bakeoff {command}" in capsys.readouterr().out.partition("\nExamples:\n")[2]
