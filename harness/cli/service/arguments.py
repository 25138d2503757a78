"""Commands of the service: options, help and examples."""

from __future__ import annotations

from typing import Any

from harness.cli.parsing import MOST_PER_S, MOST_PROCESSES, add_command, given, number, whole

_SCOPES = ("read", "write", "admin")  # as in service.settings.keys, which --help does not import
_OPERATIONS = ("put", "patch", "remove")  # as in service.writing.carrying


def _add_serve(commands: Any) -> None:
    parser = add_command(
        commands,
        "serve",
        "start a retrieval service on the engine that a run has picked",
        "  bakeoff serve --decision runs/latest/decision.json --dataset path/to/my-data\n"
        "  bakeoff serve --model trained/mine               (its listings; users are encoded by it)\n"
        "  bakeoff serve --dataset fashion-mnist --engine faiss-hnsw --decision runs/latest\n"
        "  bakeoff serve --config service.yaml              (docs/service.md; BAKEOFF_SERVICE_PORT=9000 and the like)",
    )
    for name, metavar, told in (
        ("decision", "FILE", "decision.json of a run, or the run's folder"),
        ("engine", "NAME", "this engine instead: one of the decision's, or an adapter with its defaults"),
        ("dataset", "REF", "whose listings an empty catalogue begins with: a name, a folder or a file"),
        ("model", "DIR", "a folder that bakeoff train has written: it encodes listings and users"),
        ("data", "DIR", "where catalogue and index are kept (default: served/<dataset>)"),
        ("keys", "FILE", "a YAML file of API keys, as bakeoff service key prints them"),
        ("host", "HOST", "address to listen on (default: 127.0.0.1)"),
        ("config", "FILE", "a YAML file of settings"),
    ):
        parser.add_argument(f"--{name}", type=given, metavar=metavar, help=told)
    parser.add_argument(
        "--port", type=whole(0, 65_535), metavar="N", help="port to listen on (default: 8080; 0: a free one)"
    )
    parser.add_argument(
        "--workers",
        type=whole(1, MOST_PROCESSES),
        metavar="N",
        help="processes that answer on it, for engines on a server (default: 1)",
    )


def _add_ingest(commands: Any) -> None:
    parser = add_command(
        commands,
        "ingest",
        "take listings of files into the service's catalogue, whether it runs or not",
        "  bakeoff ingest new.parquet changes.ndjson --data served/shop --dataset path/to/my-data\n"
        "  bakeoff ingest inbox/ --config service.yaml                 (files of a folder that have not been yet)\n"
        "  bakeoff ingest sold.ndjson --operation remove --config service.yaml",
    )
    parser.add_argument(
        "sources",
        nargs="+",
        type=given,
        metavar="SOURCE",
        help="a .parquet file, .ndjson or .jsonl with one document a line, or a folder of these",
    )
    parser.add_argument(
        "--operation",
        choices=_OPERATIONS,
        default=_OPERATIONS[0],
        help="what a document asks for: the listing whole, some of its fields, or its removal (default: put)",
    )
    for name, metavar, told in (
        ("dead-letters", "FILE", "where documents go that cannot be written (default: beside the catalogue)"),
        ("data", "DIR", "where the catalogue is kept (default: served/<dataset>)"),
        ("dataset", "REF", "whose listings the catalogue began with"),
        ("model", "DIR", "a folder that bakeoff train has written: it encodes documents without a vector"),
        ("config", "FILE", "the service's YAML file of settings; variables BAKEOFF_SERVICE_... hold, too"),
    ):
        parser.add_argument(f"--{name}", type=given, metavar=metavar, help=told)
    parser.add_argument(
        "--again", action="store_true", help="take files from their beginning that were ingested before"
    )


def _add_service(commands: Any) -> None:
    parser = add_command(
        commands,
        "service",
        "look after a service that runs: check or rebuild its index; make a key for it",
        "  bakeoff service check\n"
        "  bakeoff service rebuild --url http://10.0.0.5:8080      (the key in BAKEOFF_SERVICE_KEY)\n"
        "  bakeoff service key shop --scope read --scope write",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, told in (
        ("check", "compare its index with its catalogue, listing by listing; exit code 1 where they differ"),
        ("rebuild", "build its index anew beside the live one, and take that in its place"),
    ):
        action = add_command(
            actions,
            name,
            told,
            f"  bakeoff service {name}\n"
            f"  BAKEOFF_SERVICE_KEY=... bakeoff service {name} --url http://10.0.0.5:8080",
        )
        action.add_argument(
            "--url",
            type=given,
            default="http://127.0.0.1:8080",
            help="where the service listens (default: http://127.0.0.1:8080)",
        )
    key = add_command(
        actions,
        "key",
        "make an API key: it is printed once, its hash is for the file of keys",
        "  bakeoff service key shop\n  bakeoff service key shop --scope read --scope write",
    )
    key.add_argument("name", type=given, help="who holds it")
    key.add_argument(
        "--scope",
        action="append",
        choices=_SCOPES,
        help="what it is good for (default: read); may be repeated",
    )


def _add_events(commands: Any) -> None:
    examples = (
        "  bakeoff events export --data served/shop --to interactions.parquet\n"
        "  bakeoff events export --config service.yaml --to week.parquet --since 2026-03-01\n"
        "  bakeoff events export --data served/shop --to interactions.parquet --items items.parquet\n"
        "  bakeoff events export --data served/shop --to interactions.parquet --impressions shown.parquet"
    )
    parser = add_command(commands, "events", "write what users did as files, to train a model on", examples)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    told = "clicks, favourites and purchases, by time, as bakeoff train reads them; the service may go on running"
    export = add_command(actions, "export", told, examples)
    for name, metavar, told in (
        ("to", "FILE", "the Parquet file to write; one that is there is replaced"),
        (
            "items",
            "FILE",
            "another one, for every listing that is or was there, as bakeoff train reads items",
        ),
        ("impressions", "FILE", "another one, for what was shown in which place"),
        ("since", "TIME", "only events from this moment on, such as 2026-03-01 or 2026-03-01T12:00:00+01:00"),
        ("data", "DIR", "the folder of the service (default: that of the settings)"),
        ("config", "FILE", "the service's YAML file of settings"),
    ):
        export.add_argument(f"--{name}", type=given, metavar=metavar, help=told, required=name == "to")


def _add_soak(commands: Any) -> None:
    parser = add_command(
        commands,
        "soak",
        "put a service of its own under load for minutes, check every answer, and write a report",
        "  bakeoff soak\n"
        "  bakeoff soak --minutes 1 --reads 200 --writes 20 --engine qdrant-edge\n"
        "  locust -f locustfile.py --host http://10.0.0.5:8080     (load on a service that runs; docs/service.md)\n"
        "  bakeoff soak --load runs/load                           (the report of that, written with --out runs/load)",
    )
    for name, kind, default, told in (
        ("minutes", number(0.01, 10_080), 10.0, "how long"),
        ("reads", number(0, MOST_PER_S), 50.0, "questions a second"),
        ("writes", number(0, MOST_PER_S), 50.0, "listings put and removed a second"),
        ("users", whole(1, 10_000), 64, "connections to send them over"),
        ("workers", whole(1, MOST_PROCESSES), 1, "processes that send them"),
        ("seed", whole(0), 0, "of what is asked, and when"),
    ):
        parser.add_argument(
            f"--{name}", type=kind, default=default, metavar="N", help=f"{told} (default: {default:g})"
        )
    for name, metavar, default_, told in (
        ("dataset", "REF", "fashion-mnist", "whose listings are served (default: fashion-mnist)"),
        ("engine", "NAME", None, "what serves them (default: as bakeoff serve chooses)"),
        ("decision", "FILE", None, "decision.json of a run, whose pick serves them"),
        ("config", "FILE", None, "settings of the service"),
        ("out", "DIR", None, "folder of what comes of it (default: runs/soak-<time>)"),
        ("load", "DIR", None, "judge what locustfile.py left there with --out instead, and write its report"),
    ):
        parser.add_argument(f"--{name}", type=given, metavar=metavar, default=default_, help=told)


COMMANDS = (_add_serve, _add_ingest, _add_service, _add_events, _add_soak)
