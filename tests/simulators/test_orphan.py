import multiprocessing
import os
import subprocess
import sys

import pytest

from simulators.workers import processes

PROGRAM = """
import os, time
from simulators.workers import processes
from tests.simulators.test_orphan import pause
if __name__ == "__main__":
    with processes(2) as executor:
        told = [executor.submit(os.getpid), executor.submit(pause)]
        print(told[0].result(), flush=True)
        time.sleep(60)
"""


def pause():
    """Work for a minute."""
    import time

    time.sleep(60)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL.")
def test_workers_end_when_their_program_is_killed(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["."])}
    with subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert int(process.stdout.readline()) != process.pid
        process.kill()
        # Standard output is the workers' too: it ends when the last of them has, one of which had a minute to go.
        assert process.stdout.read() == ""


def test_a_program_that_ends_its_workers_in_good_order_does_so():
    with processes(2) as executor:
        assert executor.submit(pow, 2, 3).result() == 8
    assert not multiprocessing.active_children()
