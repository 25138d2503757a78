"""What every command's options are made with."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any, NoReturn

from harness.cli.output import show
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from engines.base import Metric

EXIT_CODES = "Exit codes: 0 fine, 1 failed, 99 a threshold or the gate failed, 104 invalid configuration."


class Parser(argparse.ArgumentParser):
    """Subcommands' parsers are of this class too."""

    def _print_message(self, message: str, file: Any = None) -> None:
        show(message.rstrip("\n"))

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


def percent(text: str) -> float:
    """A share of 1 from `5` or `5%`."""
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = math.nan
    if not 0 <= value < 100:  # nor is NaN
        raise argparse.ArgumentTypeError(f"must be a number of at least 0 and below 100, got {text!r}")
    return value / 100


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
        "--engines", type=given, metavar="A,B", help="only these of the scenario's engines, by label"
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
