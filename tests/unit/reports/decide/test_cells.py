"""The cells of a run, grouped."""

from harness.results.result import Measurement
from reports.decide.cells import Cells
from tests.unit.example_results import build, edit


def test_a_cell_is_found_whatever_the_order_of_its_parameters() -> None:
    """Two trials of one setting may list its parameters in different orders."""

    def turned(cell: Measurement) -> Measurement:
        if cell.trial and cell.engine == "faiss-hnsw":
            return cell.model_copy(update={"params": cell.params | {"index": {"M": 16, "kind": "hnsw"}}})
        return cell

    assert len(Cells(edit(build(), turned)).candidates) == len(Cells(build()).candidates)
