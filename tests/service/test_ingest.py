"""`bakeoff ingest` beside a service that runs on the same catalogue, killed in the middle, and told wrong things."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.service import shop
from tests.service.launch import Service, command, environment, running

OPTIONS = ("--config", "service.yaml", "--dataset", "shop", "--data", "data")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ingest")
    shop.write(folder)
    return folder


@pytest.fixture(scope="module")
def service(home: Path) -> Iterator[Service]:
    with running(home, *OPTIONS) as started:
        yield started


def ingest(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("ingest", *OPTIONS, *options),
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def write(path: Path, rows: int, **changes: object) -> None:
    rng = np.random.default_rng(5)
    lines = [
        json.dumps(
            {"id": f"{path.stem}-{row}", **shop.document(vector=rng.standard_normal(8).tolist(), **changes)}
        )
        for row in range(rows)
    ]
    path.write_text("\n".join(lines))


def test_the_service_answers_with_what_another_process_ingested(home: Path, service: Service) -> None:
    write(home / "new.ndjson", 50, brand="Muji")
    with (home / "new.ndjson").open("a") as file:
        file.write('\n{"id": "bad", "price": "1"}\n{"id": "half')
    done = ingest(home, "new.ndjson")
    assert (done.returncode, done.stdout.splitlines()) == (
        1,
        [
            "52 documents of 1 file: 50 written",
            "2 could not be written; they are in data/dead-letters.ndjson, with the reasons",
        ],
    )
    letters = [json.loads(line) for line in (home / "data/dead-letters.ndjson").read_text().splitlines()]
    assert [(one["source"], one["line"]) for one in letters] == [
        (str(home / "new.ndjson"), line) for line in (51, 52)
    ]
    # Rules go by the truth at once; the index has looked for what others wrote within its half a second.
    assert service.ask("GET", "/v1/listings/new-7").status == 200
    question = {
        "vector": [1.0] * 8,
        "k": 30,
        "where": {"brand": "Muji"},
        "short": "short",
        "mode": "approximate",
    }
    deadline = time.monotonic() + 30
    while len(found := service.ask("POST", "/v1/recommendations", question).body["hits"]) < 3:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    assert {hit["id"].partition("-")[0] for hit in found} == {"new"}
    (home / "sold.ndjson").write_text("".join(f'{{"id": "new-{row}"}}\n' for row in range(50)))
    assert ingest(home, "sold.ndjson", "--operation", "remove").returncode == 0
    assert service.ask("POST", "/v1/recommendations", question).body["hits"] == []


def test_killed_in_the_middle_it_goes_on_and_repeats_nothing(home: Path) -> None:
    rows = 6000
    write(home / "many.ndjson", rows)
    process = subprocess.Popen(
        command("ingest", *OPTIONS, "many.ndjson"), cwd=home, env=environment(home), stderr=subprocess.DEVNULL
    )
    note = f"ingested put {home / 'many.ndjson'}"
    with closing(sqlite3.connect(home / "data/catalogue.sqlite")) as catalogue:

        def held() -> int:
            found = catalogue.execute("select value from catalogue_meta where key = ?", [note]).fetchall()
            return int(json.loads(found[0][0])["place"]["rows"]) if found else 0

        while process.poll() is None and held() < 2000:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
        came = held()
        assert 0 < came < rows
        done = ingest(home, "many.ndjson")
        assert f"goes on after {came:,} rows" in done.stderr
        assert (done.returncode, held()) == (0, rows)
        versions = catalogue.execute(
            "select version, count(*) from catalogue_listings where id like 'many-%' group by 1"
        )
        assert versions.fetchall() == [(1, rows)]


def test_what_is_wrong_is_told_at_once_and_nothing_is_written(home: Path) -> None:
    write(home / "right.ndjson", 2)
    (home / "wrong.parquet").write_bytes(b"PAR1")
    done = ingest(home, "right.ndjson", "wrong.parquet", "nowhere")
    assert (done.returncode, done.stdout) == (104, "")
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert [line.split(":")[1].strip() for line in errors] == ["nowhere", "wrong.parquet"]
    assert ingest(home, "right.ndjson").stdout == "2 documents of 1 file: 2 written\n"
    (home / "sold.ndjson").write_text('{"id": "right-0"}')
    sold = ingest(home, "sold.ndjson", "--operation", "remove")
    assert sold.stdout.startswith("1 document of 1 file: 1 ")


@pytest.mark.parametrize(
    "options", [(), ("right.ndjson", "--operation", "upsert"), ("right.ndjson", "--dead-letters", "")]
)
def test_options_that_cannot_be(home: Path, options: tuple[str, ...]) -> None:
    assert ingest(home, *options).returncode == 104
