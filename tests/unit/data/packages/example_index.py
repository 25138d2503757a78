"""A small package index in the form of Debian's, with the gaps and folds of a real one."""

from __future__ import annotations

import gzip
import hashlib
import lzma
from functools import partial
from pathlib import Path

from harness.data.shipped.packages.manifest import PackagesManifest

ADVENTURE = """\
Package: adventure
Version: 1.0-2
Installed-Size: 512
Architecture: amd64
Description: text adventure in a cave
Description-md5: 11111111111111111111111111111111
Tag: game::adventure, interface::commandline,
 role::program,
 use::gameplaying
Section: games
Priority: optional
Filename: pool/main/a/adventure/adventure_1.0-2_amd64.deb
"""
EDITOR = """\
Package: editor
Version: 3.1
Architecture: all
Description: editor of source code with plugins
Section: editors
Priority: standard
Filename: pool/main/e/editor/editor_3.1_all.deb
"""
LIBRARY = """\
Package: libcave
Version: 2:0.9~rc1-1
Installed-Size: 20
Architecture: amd64
Description: caves as a shared library
Tag: role::shared-lib
Section: libs
Priority: optional
Filename: pool/main/libc/libcave/libcave_0.9~rc1-1_amd64.deb
"""
TRANSLATION = """\
Package: adventure
Description-md5: 11111111111111111111111111111111
Description-en: text adventure in a cave
 Find treasure, avoid dwarves,
 and "come back alive".
 .
  * many rooms
"""
PACKAGES = "\n".join([ADVENTURE, EDITOR, LIBRARY])


def manifest(**changes: object) -> PackagesManifest:
    """A manifest whose sources are none, unless `apt` or `https` say otherwise."""
    index = {
        "suite": "bookworm",
        "component": "main",
        "architecture": "amd64",
        "apt": changes.pop("apt", "file:///nowhere"),
        "https": changes.pop("https", "http://127.0.0.1:9/debian"),
        "keyring": "/nowhere",
    }
    data = {
        "kind": "packages",
        "name": "small",
        "index": index,
        "queries": 1,
        "filters": {
            "section": {"section": "same"},
            "tag": {"tags": "one"},
            "size": {"installed_size": {"below": [100, 1000]}},
            "person": {"section": "same", "tags": "one", "installed_size": {"below": [100, 1000]}},
        },
    }
    return PackagesManifest.model_validate(data | changes)


def many(count: int) -> str:
    """An index of so many packages: every second without tags, every fifth without a size, no two of the same words."""
    words = ["cave", "map", "editor", "music", "network", "library", "font", "chess", "mail", "image"]
    return "\n".join(
        f"Package: pack{i:03}\nVersion: 1\nArchitecture: all\nSection: {('games', 'utils', 'libs')[i % 3]}\n"
        + (f"Installed-Size: {10 + 7 * i}\n" if i % 5 else "")
        + (f"Tag: role::program, use::{words[i % 10]}\n" if i % 2 else "")
        + f"Priority: optional\nFilename: pool/main/p/{i}.deb\n"
        f"Description: {words[i % 10]} for {words[i // 10 % 10]} and {words[i * 7 % 10]}, edition {i}\n"
        for i in range(count)
    )


def release(files: dict[str, bytes]) -> bytes:
    """The `InRelease` that lists these files."""
    lines = [
        f" {hashlib.sha256(content).hexdigest()} {len(content):8} {name}" for name, content in files.items()
    ]
    head = (
        "Label: Debian\nVersion: 12.99\nDate: Sat, 01 Aug 2026 10:00:00 UTC\nMD5Sum:\n "
        + "0" * 32
        + " 5 x\nSHA256:\n"
    )
    return (head + "\n".join(lines) + "\n").encode()


def put(folder: Path, packages: str = PACKAGES, ending: str = ".xz", *, signed: bool = True) -> Path:
    """Lays an index out in `folder` as a mirror does below its suite."""
    files = {
        "main/binary-amd64/Packages": packages.encode(),
        "main/i18n/Translation-en": TRANSLATION.encode(),
    }
    pack = {".xz": partial(lzma.compress, preset=0), ".gz": gzip.compress, "": bytes}[ending]
    stored = {name + ending: pack(content) for name, content in files.items()}
    for name, content in (stored | ({"InRelease": release(files | stored)} if signed else {})).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
