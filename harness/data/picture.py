"""How a dataset's items are shown as pictures, where its vectors are pictures."""

from __future__ import annotations

from harness.scenario.strict import PositiveInt, StrictModel


class Picture(StrictModel):
    """pixels: height and width of the grey picture that each vector is, row by row, 0 (black) to 255."""

    pixels: tuple[PositiveInt, PositiveInt]

    def problem(self, dim: int) -> str:
        """Why vectors of `dim` dimensions are no such pictures; "" where they can be."""
        height, width = self.pixels
        if height * width == dim:
            return ""
        return f"picture.pixels: {height} x {width} are {height * width:,} values, the vectors have {dim:,}; correct it"
