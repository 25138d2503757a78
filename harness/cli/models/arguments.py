"""Commands of two-tower models: options, help and examples."""

from __future__ import annotations

import argparse
from typing import Any

from harness.cli.parsing import MOST_TRIALS, add_command, add_engine_options, given, names, percent, whole


def _dims(text: str) -> tuple[int, ...]:
    """Numbers of dimensions from `32,64`."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"must be numbers from 1 up such as 32,64, got {text!r}")
    return tuple(int(part) for part in parts)


def _add_configuration(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "configuration", type=given, help="hm, marketplace, or a YAML file: see docs/models.md"
    )


def _add_train(commands: Any) -> None:
    parser = add_command(
        commands,
        "train",
        "train a two-tower model of listings and users, and judge it beside baselines",
        "  bakeoff train marketplace                (simulated listings and users; needs no data)\n"
        "  bakeoff train model.yaml\n"
        "  bakeoff train model.yaml --out trained/second\n"
        "  bakeoff train model.yaml --resume        (go on after an interruption)",
    )
    _add_configuration(parser)
    parser.add_argument(
        "--out", type=given, metavar="DIR", help="the model's folder (default: trained/<name>)"
    )
    parser.add_argument("--resume", action="store_true", help="go on with what the folder holds")


def _add_ablate(commands: Any) -> None:
    parser = add_command(
        commands,
        "ablate",
        "train a model again with one thing changed at a time, and tell what each change is worth",
        "  bakeoff ablate marketplace\n"
        "  bakeoff ablate hm --only dim-64,wordllama\n"
        "  bakeoff ablate model.yaml --plan mine.yaml",
    )
    _add_configuration(parser)
    parser.add_argument(
        "--plan", type=given, metavar="FILE", help="a YAML file of changes (default: those that ship)"
    )
    parser.add_argument("--only", type=names, metavar="A,B", help="only these changes, by name")
    parser.add_argument(
        "--out", type=given, metavar="DIR", help="where trainings are kept (default: ablations/<name>)"
    )


def _add_encode(commands: Any) -> None:
    parser = add_command(
        commands,
        "encode",
        "write the vectors of listings or users by a trained model",
        "  bakeoff encode trained/mine --listings new.parquet --out new-vectors.parquet\n"
        "  bakeoff encode trained/mine --users interactions.parquet --out users.parquet\n"
        "  bakeoff encode trained/mine --users interactions.parquet --listings all.parquet --out users.parquet\n"
        "  bakeoff encode trained/mine --preferences sizes.parquet --out cold-users.parquet",
    )
    parser.add_argument("model", type=given, help="a folder that bakeoff train has written")
    for name, told in (
        ("listings", "listings with the columns that the model reads; with --users those that they took"),
        ("users", "interactions, to encode who took something (by default of the listings in MODEL/dataset)"),
        ("preferences", "users and the words that they like by category; with --users both count"),
    ):
        parser.add_argument(f"--{name}", type=given, metavar="FILE", help=f"a Parquet file of {told}")
    parser.add_argument("--out", type=given, metavar="FILE", required=True, help="a new Parquet file")


def _add_dimensions(commands: Any) -> None:
    parser = add_command(
        commands,
        "dimensions",
        "compare shorter and rounded vectors of a trained model: quality, bytes and engines' throughput",
        "  bakeoff dimensions trained/mine\n"
        "  bakeoff dimensions trained/mine --dims 32,64,96 --tolerance 1\n"
        "  bakeoff dimensions trained/mine --engines faiss-hnsw\n"
        "The same command goes on after an interruption.",
    )
    parser.add_argument("model", type=given, help="a folder that bakeoff train has written")
    parser.add_argument(
        "--dims",
        type=_dims,
        default=(32, 64, 128, 256),
        metavar="N,N",
        help="dimensions beside the model's own (default: 32,64,128,256, as far as the model has them)",
    )
    parser.add_argument(
        "--tolerance",
        type=percent,
        default=0.02,
        metavar="PERCENT",
        help="share of the hits that may be lost at most (default: 2)",
    )
    parser.add_argument(
        "--scenario",
        type=given,
        default="dimensions",
        metavar="NAME",
        help="by what throughput is measured: a scenario's name or a YAML file (default: dimensions)",
    )
    parser.add_argument(
        "--engines", type=names, metavar="A,B", help="only these of the scenario's engines, by label"
    )
    parser.add_argument(
        "--trials", type=whole(1, MOST_TRIALS), metavar="N", help="how often throughput is measured"
    )
    parser.add_argument(
        "--data",
        type=given,
        default=".",
        metavar="DIR",
        help="where relative paths in the model's configuration start from (default: here)",
    )
    parser.set_defaults(rows=None, queries=None, metric=None)


def _add_evaluate(commands: Any) -> None:
    parser = add_command(
        commands,
        "evaluate",
        "ask engines for a trained model's held-out users, and say what these lose by approximate answers",
        "  bakeoff evaluate trained/mine\n"
        "  bakeoff evaluate trained/mine --engines faiss-ivf,qdrant-edge\n"
        "  bakeoff evaluate trained/mine --scenario two-tower      (the settings that engines are measured at)\n"
        "  bakeoff evaluate trained/mine --resume                  (go on after an interruption)",
    )
    parser.add_argument("model", type=given, help="a folder that bakeoff train has written")
    parser.add_argument(
        "--scenario",
        type=given,
        default="user-loss",
        metavar="NAME",
        help="whose engines, settings and filters, and how many listings a user: a scenario's name or a YAML file "
        "(default: user-loss)",
    )
    parser.add_argument("--queries", type=whole(1), metavar="N", help="only the first N users")
    add_engine_options(parser)
    parser.add_argument(
        "--resume", action="store_true", help="go on with an interrupted evaluation of the same engines"
    )
    parser.set_defaults(rows=None, trials=None, metric=None)


COMMANDS = (_add_train, _add_ablate, _add_encode, _add_dimensions, _add_evaluate)
