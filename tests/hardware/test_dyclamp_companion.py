"""A dyClamp beside a rig has its conductances from the rig's opening to its closing, and on no path longer."""

import sys
import threading

import pytest

from hardware.dyclamp import CALIBRATION, DyClamp, DyClampError
from hardware.dyclamp_companion import DyClampCompanion
from hardware.port import Port
from hardware.rig import Block, Provenance, Rig, RigError
from simulators.limits import Limits
from simulators.stimulus import step

if sys.platform == "win32":
    pytest.skip("A pty is wanted.", allow_module_level=True)

from dyclamp_emulator import CALIBRATION as VALUES
from dyclamp_emulator import Board, Sketch

pytestmark = pytest.mark.usefixtures("no_thread_is_left")

CALIBRATED = dict(zip(CALIBRATION, VALUES, strict=True))
STEP = step(50.0, onset=60.0, duration=100.0, tail=40.0)


class Scripted(Rig):
    """A rig that notes what is done with it, and what the board has set at that moment."""

    rate = 10.0
    limits = Limits()

    def __init__(self, sketch, broken=()):
        super().__init__()
        self.sketch, self.broken, self.log = sketch, broken, []

    def _note(self, what):
        self.log.append((what, self.sketch.conductances[0]))
        if what in self.broken:
            raise RigError(f"It can't {what}.")

    @property
    def provenance(self):
        return Provenance()

    def _open(self):
        self._note("open")

    def _start(self, stimulus):
        self._note("start")

    def _read(self):
        return Block([0.0] * 10)

    def _stop(self):
        self._note("stop")

    def _close(self):
        self._note("close")


@pytest.fixture
def beside():
    """Make a rig with a dyClamp beside it, and keep what is told."""
    with Board(Sketch()) as board:
        told = []

        def make(calibration=CALIBRATED, shunt=10.0, broken=()):
            rig = Scripted(board.sketch, broken)
            clamp = DyClamp(Port(board.name), Limits(-1200.0, 1200.0), patience=2.0)
            rig.accompany(DyClampCompanion(clamp, "dyClamp on P", calibration, {"g_shunt": shunt}, told.append))
            return rig

        make.board, make.told = board, told
        yield make


def until(seen):
    wait = threading.Event()
    for _ in range(2000):
        if seen():
            return
        wait.wait(0.005)
    raise TimeoutError


def test_it_is_opened_before_the_rig_and_ends_after_it_and_tells_all_the_while(beside):
    rig = beside()
    assert (rig.added, beside(shunt=0.0).added) == ("g_shunt of 10 nS", None)
    with rig:
        blocks = rig.play(STEP)
        next(blocks)
        until(lambda: beside.told[-1].voltage is not None)
        newest = beside.told[-1]
        assert newest.injects and not newest.watchdog
        assert newest.conductances == {"g_shunt": 10.0}
        assert newest.voltage == pytest.approx(-68.74) and newest.current == pytest.approx(687.4, abs=0.6)
        with pytest.raises(RigError, match="The rig is open: say what stands beside it"):
            rig.accompany(None)
    # The command is at its exit level first, the conductances are there until then.
    assert rig.log == [("open", 0.0), ("start", 10.0), ("stop", 10.0), ("close", 10.0)]
    assert beside.board.sketch.conductances == [0.0] * 8
    assert not beside.told[-1].injects
    counts = [each.count for each in beside.told]
    assert counts == sorted(set(counts))


def test_what_the_calibration_lacks_is_set_and_read_back_before_any_conductance(beside):
    with beside({**CALIBRATED, "voltage_offset": 4.0}):
        written = beside.board.sketch.written
        assert written.index((-7, 4.0)) < written.index((1, 10.0))
        assert [value for index, value in written if index < 0] == [4.0]


def test_a_board_that_could_inject_more_than_the_limits_is_refused_before_the_rig_is_touched(beside):
    rig = beside({**CALIBRATED, "command_sensitivity": 4000.0})
    with pytest.raises(DyClampError, match="beyond the limits"):
        rig.open()
    assert rig.log == []
    assert not any(beside.board.sketch.conductances)


@pytest.mark.parametrize("broken", ["open", "start", "stop", "close"])
def test_whatever_fails_in_the_rig_the_board_has_nothing_left(beside, broken):
    rig = beside(broken=[broken])

    def use():
        with rig:
            blocks = rig.play(STEP)
            next(blocks)
            rig.close()

    with pytest.raises(RigError, match=f"It can't {broken}"):
        use()
    assert beside.board.sketch.conductances == [0.0] * 8
    rig.broken = ()
    with rig:
        assert beside.board.sketch.conductances[0] == 10.0


def test_a_rig_is_closed_when_the_board_does_not_take_its_conductance(beside):
    rig = beside(shunt=5000.0)
    with pytest.raises(DyClampError, match="g_shunt is 5000"):
        rig.open()
    assert [what for what, _ in rig.log] == ["open", "close"]
    assert not any(beside.board.sketch.conductances)


def test_a_board_that_is_gone_ends_the_sweep_and_is_said_to_be_unknown(beside):
    rig = beside()
    rig.open()
    blocks = rig.play(STEP)
    next(blocks)
    beside.board.unplug()
    until(lambda: beside.told[-1].fault is not None)
    with pytest.raises(RigError):
        next(blocks)
    assert rig.log[-1][0] == "stop"
    with pytest.raises(DyClampError, match="could not be told to inject nothing"):
        rig.close()
    assert rig.log[-1][0] == "close"
    assert beside.told[-1].injects and "unplug the board" in beside.told[-1].fault


def test_a_board_that_reports_no_more_ends_the_sweep(beside, monkeypatch):
    rig = beside()
    with rig:
        blocks = rig.play(STEP)
        next(blocks)
        monkeypatch.setattr(rig._companion._clamp, "reports", lambda patience: [])
        until(lambda: beside.told[-1].fault is not None)
        with pytest.raises(DyClampError, match="has not reported for 2 s: what it injects is not known"):
            next(blocks)
    assert not any(beside.board.sketch.conductances)
