"""What stores raise."""

from __future__ import annotations

from harness.errors import BakeoffError


class StoreError(BakeoffError):
    """The store could not read or write; the message says why and what to change. Nothing was partly written."""
