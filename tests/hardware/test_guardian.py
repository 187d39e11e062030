"""The guardian returns the output when the engine dies or falls silent, and only then."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hardware import guardian_process
from hardware.guardian import Guardian
from hardware.guardian_process import ACT, BEAT, END, REST, Watch
from hardware.last_word import FOLDER, Lookout, Word
from hardware.nidaq import Nidaq
from hardware.nidaq_exit import NidaqExit
from hardware.nidaq_wiring import Input, Output, Wiring
from hardware.rig import Gain, RigError
from simulators.stimulus import step

ROOT = Path(__file__).resolve().parents[2]
LONG = step(80.0, onset=60.0, duration=40_000.0, tail=100.0)
NOTE = """
from pathlib import Path

class Note:
    place = "the note to 0 V"

    def __init__(self, path, wrong=""):
        self.path, self.wrong = Path(path), wrong

    def put(self):
        if self.wrong:
            raise OSError(self.wrong)
        with self.path.open("a") as file:
            file.write("put ")
"""


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    clock = Clock()
    made = Watch(0.5, clock)
    made.clock = clock
    return made


@pytest.mark.parametrize(
    ("heard", "passed", "reason"),
    [
        ([b""], 0.0, "the program that held it has died"),
        ([BEAT, b""], 0.0, "the program that held it has died"),
        ([BEAT], 0.6, "the program was silent for more than 0.5 s"),
        ([REST, BEAT, BEAT], 0.6, "the program was silent for more than 0.5 s"),
        ([BEAT, ACT], 0.0, "the program could not do it"),
        ([BEAT, ACT, b""], 0.0, "the program could not do it"),
        ([END], 0.0, None),
        ([BEAT, END, b""], 9.0, None),
        ([BEAT, REST, END, b""], 9.0, None),
    ],
)
def test_the_guardian_acts_for_a_death_or_a_silence_and_for_nothing_else(watch, heard, passed, reason):
    for byte in heard:
        watch.hear(byte)
    watch.clock.now += passed
    assert watch.wait() == reason


def test_an_engine_at_rest_may_be_silent_for_as_long_as_it_likes(watch, monkeypatch):
    waits = []

    def wait(left):
        waits.append(left)
        watch.hear(END)

    watch.hear(BEAT)
    watch.hear(REST)
    watch.clock.now += 1e6
    monkeypatch.setattr(watch._changed, "wait", wait)
    assert watch.wait() is None
    assert waits == [None]


def test_a_beat_begins_the_silence_anew(watch, monkeypatch):
    waits = []

    def wait(left):
        waits.append(left)
        watch.clock.now += 0.4
        watch.hear(BEAT if len(waits) < 3 else END)

    watch.hear(BEAT)
    monkeypatch.setattr(watch._changed, "wait", wait)
    assert watch.wait() is None
    assert waits == pytest.approx([0.5, 0.5, 0.5])


def test_what_could_not_be_returned_is_said_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr(guardian_process, "_PERSISTENCE", -1.0)
    space = {}
    exec(NOTE, space)
    told = guardian_process._return(space["Note"](tmp_path, "no such board"), "it died")
    assert not told.returned
    assert told.sentence == (
        "The guardian could not return the note to 0 V, although it died: take the amplifier's external command away "
        "by hand. no such board"
    )


def test_what_fails_once_is_tried_again(monkeypatch, tmp_path):
    monkeypatch.setattr(guardian_process, "_AGAIN", 0.0)

    class Late:
        place, tries = "it", 0

        def put(self):
            self.tries += 1
            if self.tries < 3:
                raise OSError("not yet")

    assert guardian_process._return(Late(), "it died") == Word(True, "The guardian returned it, because it died.")


def test_the_guardian_s_process_loads_nothing_that_is_slow():
    code = "import sys, hardware.guardian_process; sys.stdout.write(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"torch", "numba", "numpy", "nidaqmx", "grpc"} & set(loaded.split())
    code = "import sys, hardware.nidaq_exit; sys.stdout.write(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"torch", "numba", "nidaqmx", "grpc"} & set(loaded.split())


@pytest.fixture
def note(tmp_path, monkeypatch):
    """A guardian that notes in a file what it does."""
    (tmp_path / "a_note.py").write_text(NOTE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    guardians = []

    def make(silence=30.0, **more):
        guardians.append(Guardian("a_note:Note", {"path": str(tmp_path / "note"), **more}, silence))
        guardians[-1].start()
        guardians[-1].wait()
        return guardians[-1]

    yield make, lambda: (tmp_path / "note").read_text() if (tmp_path / "note").exists() else ""
    for guardian in guardians:
        guardian.end()


def test_a_guardian_whose_engine_ends_well_ends_without_a_deed(note):
    make, noted = note
    guardian = make()
    guardian.beat()
    guardian.rest()
    process = guardian._process
    guardian.end()
    guardian.end()
    assert (process.returncode, noted()) == (0, "")


def test_a_guardian_that_is_asked_acts_and_says_so(note, capfd):
    make, noted = note
    guardian = make()
    guardian.beat()
    said = "The guardian returned the note to 0 V, because the program could not do it."
    assert guardian.act() == (True, said)
    assert guardian.act() == (True, said)
    assert (noted(), guardian.pid) == ("put ", None)
    assert capfd.readouterr().err == said + "\n"


def test_a_guardian_leaves_its_word_where_the_window_looks_and_only_when_it_acted(note, tmp_path, monkeypatch, capfd):
    folder = tmp_path / "words"
    folder.mkdir()
    monkeypatch.setenv(FOLDER, str(folder))
    lookout = Lookout(folder)
    make, _ = note
    first, second, third = make(), make(), make()
    assert lookout.is_watched
    first.end()
    assert lookout.collect() == ()
    second.act()
    said = "The guardian returned the note to 0 V, because the program could not do it."
    assert lookout.collect() == (Word(True, said),)
    assert lookout.collect() == ()
    assert lookout.is_watched
    third._process.kill()
    third._process.wait()
    assert lookout.is_watched
    lookout.forget()
    assert not lookout.is_watched
    assert list(folder.iterdir()) == []
    assert capfd.readouterr().err == said + "\n"


def test_a_word_that_is_no_word_is_left_and_a_folder_that_is_gone_hinders_nobody(tmp_path, monkeypatch, note):
    (tmp_path / "1.word").write_text("[", encoding="utf-8")
    assert Lookout(tmp_path).collect() == ()
    monkeypatch.setenv(FOLDER, str(tmp_path / "gone"))
    make, noted = note
    assert make().act()[0]
    assert noted() == "put "


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals.")
def test_what_interrupts_the_engine_does_not_reach_the_guardian(note):
    make, noted = note
    guardian = make()
    assert os.getpgid(guardian.pid) != os.getpgid(0)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(guardian.pid, name)
    assert guardian.act()[0]
    assert noted() == "put "


def test_an_engine_that_was_silent_is_told_when_it_beats_again(note):
    make, noted = note
    guardian = make(silence=0.05)
    guardian.beat()
    guardian._process.wait(20.0)
    with pytest.raises(RigError, match=r"was silent for more than 0\.05 s\. Open the rig again"):
        guardian._beaten = -1.0
        guardian.beat()
    assert noted() == "put "


def test_a_guardian_that_was_killed_is_missed_before_anything_is_put_out(note):
    make, _ = note
    guardian = make()
    guardian._process.kill()
    guardian._process.wait()
    with pytest.raises(RigError, match="died before it could say what it did"):
        guardian.beat()


def test_nothing_is_put_out_without_a_guardian(note, tmp_path, capfd):
    make, _ = note
    with pytest.raises(RigError, match="could not be started"):
        make(color="red")
    assert "color" in capfd.readouterr().err


# The board behind it.

DRIVER = """
import sys
from hardware.last_word import FOLDER, Lookout, Word
from hardware.nidaq import Nidaq
from hardware.nidaq_wiring import Input, Output, Wiring
from hardware.rig import Gain
from simulators.stimulus import step
gains = Output("ao0", Gain(400.0, "pA/V", "made")), Input("ai0", Gain(100.0, "mV/V", "made"))
with Nidaq(Wiring("Dev1", *gains, server=sys.argv[1]), 10.0, exit_level=-8.0, silence=float(sys.argv[2])) as rig:
    for block in rig.play(step(80.0, onset=60.0, duration=40_000.0, tail=100.0)):
        sys.stdout.write(".")
        sys.stdout.flush()
"""


@pytest.fixture
def killed(nidaq_server, tmp_path):
    """Kill a driver's process in the middle of a step; gives its server, and the file that keeps its last words."""
    with nidaq_server.NidaqServer(speed=1.0) as server:

        def kill(silence):
            env = os.environ | {"PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-c", DRIVER, server.address, str(silence)]
            said = tmp_path / "said"
            with (
                said.open("wb") as err,
                subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=err) as driver,
            ):
                server.wait_for(lambda: server.output == 0.2, 60.0)
                driver.kill()
            return server, said

        yield kill


def test_a_board_keeps_a_step_of_a_killed_program_without_a_guardian(killed):
    server, _ = killed(np.inf)
    assert (server.output, server.resets) == (0.2, 0)
    exit_ = NidaqExit("Dev1", "ao0", -0.02, 10.0, server.address)
    exit_.put()
    exit_._driver.close()
    assert (server.output, server.resets) == (-0.02, 1)


def test_the_guardian_ends_the_step_of_a_killed_program(killed):
    server, said = killed(5000.0)
    server.wait_for(lambda: server.output == -0.02 and said.read_text().endswith("\n"))
    assert server.resets == 1
    assert said.read_text() == (
        f"The guardian returned Dev1/ao0 on {server.address} to -0.02 V, because the program that held it has died.\n"
    )


def test_a_program_that_falls_silent_loses_the_output(nidaq_server):
    with nidaq_server.NidaqServer(speed=1.0) as server:
        gains = Output("ao0", Gain(400.0, "pA/V", "made")), Input("ai0", Gain(100.0, "mV/V", "made"))
        with Nidaq(Wiring("Dev1", *gains, server=server.address), 10.0, timeout=100.0, silence=200.0) as rig:
            blocks = rig.hold(80.0)
            next(blocks)
            assert server.output == 0.2
            server.wait_for(lambda: server.output == 0.0)
            server.is_plugged = False
            with pytest.raises(RigError, match=r"silent for more than 0\.2 s\. Open the rig again\.$"):
                list(blocks)
            server.is_plugged = True
            with pytest.raises(RigError, match="Dev1 was lost in the sweep before: see to the amplifier, then open"):
                next(rig.play(LONG))
        with rig:
            blocks = rig.play(LONG)
            assert next(blocks).response.size == 200
            blocks.close()
        assert server.output == 0.0
