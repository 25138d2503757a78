"""What a new process (`start`, `keep_child`) runs first. Imports little, so that it soon dies with its parent."""

from __future__ import annotations

import os
import sys

from harness.children.kernel import die_with


def main() -> None:
    """Receives a function and its arguments, and calls it. argv: title, descriptor of the connection, parent."""
    die_with(int(sys.argv[3]))
    import json
    import pickle
    from multiprocessing.connection import Connection

    connection = Connection(int(sys.argv[2]))
    os.set_inheritable(connection.fileno(), False)  # else programs that an engine starts would keep it open
    try:
        sys.path[:] = json.loads(connection.recv_bytes())
        function, arguments = pickle.loads(connection.recv_bytes())
    except EOFError:  # the process that started this one has ended
        return
    function(*arguments, connection)
