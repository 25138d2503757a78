"""What every command's options are made with."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from engines.meant import choices, meant
from harness.cli.printing.output import show
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from engines.base import Metric

T = TypeVar("T")
# Here and not where they are checked again, which --help does not import.
MOST_TRIALS = 1_000
MOST_PROCESSES = 1_000
MOST_PER_S = 100_000
LARGEST = 2**63 - 1  # of a number of rows, or a seed
EXIT_CODES = "Exit codes: 0 fine, 1 failed, 99 a threshold or the gate failed, 104 invalid configuration."


class Parser(argparse.ArgumentParser):
    """Subcommands' parsers are of this class too."""

    def _print_message(self, message: str, file: Any = None) -> None:
        show(message.rstrip("\n"))

    def parse_known_args(  # type: ignore[override]  # argparse has a type for every kind of namespace
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Refuses what is unknown itself, for it knows the command's options; argparse would have the parser of all
        commands do it.
        """
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            wrong = next((text for text in unknown if text.startswith("-")), unknown[0])
            near = meant(wrong.partition("=")[0], self._option_string_actions)
            self.error(f"unrecognized arguments: {' '.join(unknown)}{f' ({near})' if near else ''}")
        return options, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(action, f"unknown '{value}' ({choices(value, action.choices)})")

    def error(self, message: str) -> NoReturn:
        """A wrong command line is an invalid configuration, as a wrong scenario is."""
        raise ConfigurationError(f"{message}. See: {self.prog} --help")


def given(text: str) -> str:
    """The value of an option, which may not be empty: a script's unset variable would otherwise pass for a value."""
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def metric_word(text: str) -> Metric:
    """The metric that a word means, such as cosine or Euclidean."""
    from harness.data.metric_words import KNOWN, metric_named

    metric = metric_named(given(text))
    if metric is None:
        raise argparse.ArgumentTypeError(f"must be {KNOWN}, got {text!r}")
    return metric


def add_metric_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--metric",
        type=metric_word,
        metavar="METRIC",
        help="how vectors are compared, where the dataset does not say: l2, ip or cosine",
    )


def names(text: str) -> list[str]:
    """Names from `a,b`."""
    found = [name.strip() for name in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"must be names with a comma between two, got {text!r}")
    return found


def whole(least: int, most: int = LARGEST) -> Callable[[str], int]:
    """What reads a whole number within these bounds."""
    bounds = f"of at least {least:,}" if most == LARGEST else f"from {least:,} to {most:,}"
    return _number(int, f"must be a whole number {bounds}", lambda value: least <= value <= most)


def number(least: float, most: float) -> Callable[[str], float]:
    """What reads a number within these bounds."""
    told = f"must be a number from {least:g} to {most:,g}"
    return _number(float, told, lambda value: least <= value <= most)  # which NaN is not


def percent(text: str) -> float:
    """A share of 1 from `5` or `5%`."""
    read = _number(
        lambda written: float(written.strip().removesuffix("%")),
        "must be a number of at least 0 and below 100",
        lambda value: 0 <= value < 100,
    )
    return read(text) / 100


def _number(kind: Callable[[str], T], told: str, fits: Callable[[T], bool]) -> Callable[[str], T]:
    def read(text: str) -> T:
        try:
            if fits(value := kind(text)):
                return value
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(f"{told}, got {text!r}")

    return read


def add_command(commands: Any, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"Examples:\n{examples}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engines", type=names, metavar="A,B", help="only these of the scenario's engines, by label"
    )
    parser.add_argument(
        "--url",
        action="append",
        type=given,
        default=[],
        metavar="ENGINE=URL",
        help="use the server that runs there (as BAKEOFF_<ENGINE>_URL does; credentials: BAKEOFF_<ENGINE>_USER, "
        "_PASSWORD, _API_KEY, _CA_CERTS); may be repeated",
    )
