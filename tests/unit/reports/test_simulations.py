"""The command that simulates decisions and gates."""

import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[3]


def test_a_simulation_that_is_stopped_leaves_no_process() -> None:
    command = [sys.executable, "-m", "tests.simulations", "decision", "--runs", "100000"]
    children: list[psutil.Process] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as simulation:
        try:
            deadline = time.monotonic() + 120
            # Two workers, which are at work, and what tracks their resources.
            while len(children) < 3 or sum(child.cpu_times().user for child in children) < 3:
                assert time.monotonic() < deadline
                time.sleep(0.1)
                children = psutil.Process(simulation.pid).children(recursive=True)
            simulation.terminate()
            simulation.wait(60)
            assert not psutil.wait_procs(children, timeout=20)[1]
        finally:
            simulation.kill()
            for child in children:
                if child.is_running():
                    child.kill()
