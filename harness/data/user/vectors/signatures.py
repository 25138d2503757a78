"""What a file is by its first bytes, whatever its ending says."""

from __future__ import annotations

from pathlib import Path

LONGEST = 8  # bytes of a signature
_FORMATS = {
    b"\x93NUMPY": (".npy",),
    b"PAR1": (".parquet",),
    b"\x89HDF\r\n": (".hdf5", ".h5"),
    b"PK\x03\x04": (".npz",),
}
_PACKED = {b"\x1f\x8b\x08": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}


def mistaken(path: Path, start: bytes) -> str | None:
    """That a file is of another format than its ending says, and the remedy; None where `start`, its first bytes, does
    not tell.
    """
    for signature, suffixes in _FORMATS.items():
        if start.startswith(signature) and path.suffix not in suffixes:
            right = path.with_suffix(suffixes[0]).name
            return f"{path}: is a {suffixes[0]} file by its content; call it {right}"
    for signature, packer in _PACKED.items():
        if start.startswith(signature):
            return f"{path}: is compressed with {packer}; unpack it"
    return None
