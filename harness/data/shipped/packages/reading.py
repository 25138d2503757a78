"""Packages as an index describes them: `Packages` joined with the long descriptions of `Translation-en`."""

from __future__ import annotations

from dataclasses import dataclass

from harness.data.shipped.packages.control import Stanza, stanzas
from harness.data.shipped.packages.versions import version_key
from harness.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Package:
    """One package. installed_size: in KiB. summary: one line; text: that and the long description, as one line."""

    name: str
    version: str
    section: str | None
    priority: str | None
    installed_size: int | None
    tags: tuple[str, ...]
    summary: str
    text: str


def read_packages(packages: bytes, translation: bytes, component: str, architecture: str) -> list[Package]:
    """The packages of one component for one architecture (and for all), in order of their names.

    Of several versions the newest. Raises DatasetError where a file is damaged or has none of them.
    """
    long = {
        stanza.required("Description-md5"): stanza.required("Description-en")
        for stanza in stanzas("Translation-en", translation)
    }
    found: dict[str, Package] = {}
    for stanza in stanzas("Packages", packages):
        if stanza.required("Architecture") not in (architecture, "all"):
            continue
        # pool/main/0/0ad/..., in archives of updates pool/updates/main/...
        if f"/{component}/" not in stanza.required("Filename"):
            continue
        package = _package(stanza, long)
        other = found.get(package.name)
        if other is None or version_key(package.version) > version_key(other.version):
            found[package.name] = package
    if not found:
        raise DatasetError(f"Packages: has no package of {component} for {architecture}")
    return [found[name] for name in sorted(found)]


def _package(stanza: Stanza, long: dict[str, str]) -> Package:
    size = stanza.fields.get("installed-size")
    if size is not None and not (size.isascii() and size.isdecimal()):
        raise DatasetError(
            f"{stanza.place}: Installed-Size is {size!r}, no whole number; the file is damaged"
        )
    # Where an index has no translations, the field holds the long description, too.
    description = stanza.required("Description")
    description = long.get(stanza.fields.get("description-md5", ""), description)
    summary, _, rest = description.partition("\n")
    return Package(
        name=stanza.required("Package"),
        version=stanza.required("Version"),
        section=stanza.fields.get("section") or None,
        priority=stanza.fields.get("priority") or None,
        installed_size=None if size is None else int(size),
        tags=tuple(
            dict.fromkeys(tag for part in stanza.fields.get("tag", "").split(",") if (tag := part.strip()))
        ),
        summary=summary,
        text=f"{summary}. {_paragraphs(rest)}" if rest else summary,
    )


def _paragraphs(text: str) -> str:
    """Without the lines of a dot alone, which part paragraphs."""
    return " ".join(line for part in text.split("\n") if (line := part.strip()) != ".")
