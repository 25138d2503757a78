"""An adapter to a Milvus that answers as it is told. What needs the client is imported where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from engines.milvus.adapter import Milvus
    from tests.servers.fake_milvus import FakeMilvus


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeMilvus]:
    from tests.servers.fake_milvus import FakeMilvus

    with FakeMilvus().listening() as fake:
        monkeypatch.setenv("BAKEOFF_MILVUS_URL", fake.url)
        for name in ("USER", "PASSWORD", "API_KEY"):
            monkeypatch.delenv(f"BAKEOFF_MILVUS_{name}", raising=False)
        yield fake


@pytest.fixture
def engine(server: FakeMilvus, tmp_path: Path) -> Iterator[Milvus]:
    from engines.milvus.adapter import Milvus
    from engines.milvus.params import ServerIndexParams
    from tests.unit.engines.milvus.contents import SCHEMA

    engine = Milvus(tmp_path, ServerIndexParams())
    engine.create(SCHEMA)
    yield engine
    engine.close()
