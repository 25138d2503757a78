"""Each product in turn, where its client is installed."""

from __future__ import annotations

import pytest

from engines.registry import MissingClientError
from tests.unit.engines.lucene.products import VERSIONS, Product
from tests.unit.engines.lucene.products import product as product_of


@pytest.fixture(params=VERSIONS)
def product(request: pytest.FixtureRequest) -> Product:
    try:
        return product_of(request.param)
    except MissingClientError as error:
        pytest.skip(str(error))
