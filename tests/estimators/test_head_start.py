"""What is begun ahead is done beside, and neither its end nor its death holds up who began it."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from estimators.head_start import head_start

LONG = 60.0


def note(path):
    path.write_text(f"{os.getpid()} {torch.get_num_threads()}")


def note_and_stay(path):
    note(path)
    time.sleep(LONG)


def fail():
    raise ValueError("nobody is told this")


def written(path):
    while not (path.exists() and path.read_text()):
        time.sleep(0.01)
    return int(path.read_text().split()[0])


def test_work_is_done_in_another_process_on_one_thread(tmp_path):
    with head_start(partial(note, tmp_path / "it")) as over:
        while not over(1.0):
            pass
    process, threads = (tmp_path / "it").read_text().split()
    assert int(process) != os.getpid()
    assert threads == "1"


def test_waiting_ends_before_the_work_does(tmp_path):
    with head_start(partial(note_and_stay, tmp_path / "it")) as over:
        written(tmp_path / "it")
        assert not over(0.01)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="Whether a process is there is looked up in /proc.")
def test_who_leaves_early_leaves_no_process_behind(tmp_path):
    with pytest.raises(KeyError), head_start(partial(note_and_stay, tmp_path / "it")):
        process = written(tmp_path / "it")
        raise KeyError
    assert not Path(f"/proc/{process}").exists()


def test_work_that_fails_is_over_and_says_nothing(capfd):
    with head_start(fail) as over:
        while not over(1.0):
            pass
    assert capfd.readouterr().err == ""


def test_work_that_is_killed_is_over(tmp_path):
    with head_start(partial(note_and_stay, tmp_path / "it")) as over:
        os.kill(written(tmp_path / "it"), signal.SIGTERM)
        while not over(1.0):
            pass
