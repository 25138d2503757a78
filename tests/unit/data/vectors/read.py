"""What the tests of vector files share: rows read, and what is said where they cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.data.user.vectors.matrix import Matrix
from harness.data.user.vectors.opening import open_matrix
from harness.data.user.vectors.transfer import transfer
from harness.errors import ConfigurationError
from harness.progress import silent


def rows_of(matrix: Matrix) -> np.ndarray:
    """float32[rows, dim], as a dataset gets them."""
    rows: list[np.ndarray] = []
    assert transfer(matrix, "l2", [(rows, None)], silent) == []  # type: ignore[list-item]  # a list appends, too
    return np.concatenate(rows)


def refused(*paths: Path, column: str | None = None) -> list[str]:
    """The problems of reading all of it, without the folder."""
    with pytest.raises(ConfigurationError) as caught:
        raise ConfigurationError(transfer(open_matrix(paths, column), "l2", [], silent))
    assert all(f"{paths[0].parent}" in problem for problem in caught.value.problems)
    return [problem.replace(f"{paths[0].parent}/", "") for problem in caught.value.problems]
