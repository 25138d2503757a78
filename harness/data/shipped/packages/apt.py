"""A package index by apt-get, into lists of our own: needs no root, and leaves the system's lists alone."""

from __future__ import annotations

from pathlib import Path

from harness.data.shipped.packages.manifest import Index
from harness.data.shipped.sources import PATIENCE, MissingError, UnavailableError, run_quietly
from harness.progress import Progress


class Apt:
    """The files of one index, uncompressed, their signature checked by apt-get."""

    def __init__(self, index: Index, scratch: Path, progress: Progress) -> None:
        self.label = f"apt-get ({index.apt})"
        self._index = index
        self._lists = scratch / "lists"
        self._scratch = scratch
        self._progress = progress

    def get(self, name: str) -> bytes:
        """A file of the index, called as in the folder of its suite. Raises UnavailableError."""
        if not self._lists.exists():
            self._progress(f"download the package index of {self._index.suite} (apt-get)", 0, None)
            self._update()
        paths = list(self._lists.glob(f"*_{name.replace('/', '_')}"))
        if not paths:
            raise MissingError(f"brought no {name}")
        try:
            return paths[0].read_bytes()
        except OSError as error:
            raise UnavailableError(f"{paths[0].name} cannot be read: {error.strerror}") from error

    def _update(self) -> None:
        index = self._index
        key = f" signed-by={index.keyring}" if Path(index.keyring).exists() else ""
        source = self._scratch / "sources.list"
        source.write_text(
            f"deb [arch={index.architecture} lang=en target=Packages,Translations{key}] "
            f"{index.apt} {index.suite} {index.component}\n",
            encoding="utf-8",
        )
        self._lists.mkdir()
        options = {
            "Dir::Etc::SourceList": source,
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State::Lists": self._lists,
            "Dir::Cache": self._scratch / "cache",
            "Acquire::GzipIndexes": "false",  # images for containers keep lists in a form that needs a library
            "APT::Update::Error-Mode": "any",  # a list that did not come is else a warning
        }
        own = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        run_quietly(self._scratch, "apt-get", *PATIENCE, *own, "update")
