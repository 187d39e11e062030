"""A dyClamp is believed only where it says back what it was told, and is left without a conductance."""

import math
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.dyclamp import CALIBRATION, CONDUCTANCES, DyClamp, DyClampError, Report
from hardware.dyclamp_frame import Deframer, framed, numbers
from hardware.port import Port, PortLost
from simulators.limits import Limits

if sys.platform == "win32":
    pytest.skip("A pty is wanted.", allow_module_level=True)

from dyclamp_emulator import CALIBRATION as VALUES
from dyclamp_emulator import Board, Sketch

WIDE = Limits(-1200.0, 1200.0)


@pytest.fixture
def board():
    with Board() as board:
        yield board


def clamp(board, limits=WIDE, **more):
    return DyClamp(Port(board.name), limits, **{"patience": 2.0, **more})


def once(spoil, wanted):
    """Spoil the first piece in which something is found, and nothing else."""
    done = []

    def pass_on(data):
        if done or wanted not in data:
            return data
        done.append(data)
        return spoil(data)

    return pass_on


# The emulator itself.


def heard(sketch, *frames):
    for frame in frames:
        sketch.hear(frame)
        sketch.tick()
    return sketch.say()


def test_the_emulator_echoes_each_command_and_does_it():
    sketch = Sketch()
    assert heard(sketch, b"\r1\t10.0\n", b"\r-2\t2000\n") == b"\r1\t10.0\n\r-2\t2000\n"
    assert (sketch.conductances[0], sketch.calibration[1]) == (10.0, 2000.0)


def test_the_emulator_dumps_calibration_downwards_and_conductances_upwards():
    lines = heard(Sketch(conductances=range(8)), b"\r0\t1\n").split(b"\n")
    assert lines[:2] == [b"\r0\t1", b"\r-7.00\t0.00"]
    assert lines[7:9] == [b"\r-1.00\t50.00", b"\r1.00\t0.00"]
    assert lines[15:] == [b"\r8.00\t7.00", b""]


def test_the_emulator_reports_until_it_is_toggled_again():
    sketch = Sketch()
    assert heard(sketch, b"\r0\t2\n", b"") == b"\r0\t2\n" + 2 * b"\r-68.74\t0.00\t9.00\n"
    assert heard(sketch, b"\r0\t2\n", b"") == b"\r0\t2\n"


def test_the_emulator_cuts_the_current_where_its_converter_ends():
    sketch = Sketch()
    assert sketch.voltage == pytest.approx(-68.74)
    heard(sketch, b"\r1\t10\n")
    assert sketch.current == pytest.approx(687.4, abs=0.6)
    heard(sketch, b"\r1\t100\n")
    assert sketch.current == pytest.approx(2095 * 400 / 750)


@pytest.mark.parametrize("bad", [b"1\t10.0\n", b"\r1 10.0\n", b"\r9\t10.0\n", b"\rx\t10.0\n"])
def test_the_emulator_does_nothing_at_what_is_no_command(bad):
    sketch = Sketch()
    assert heard(sketch, bad) == bad
    assert sketch.conductances == [0.0] * 8


def test_the_emulator_takes_a_frame_without_its_end_for_a_whole_one():
    sketch = Sketch()
    assert heard(sketch, b"\r1\t1") == b""
    assert heard(sketch, b"2") == b"\r1\t12\n"
    assert sketch.conductances[0] == 12.0


# Frames.


@given(
    st.lists(st.one_of(st.tuples(st.integers(-9, 9), st.floats(-1e4, 1e4)), st.just(None)), max_size=8),
    st.lists(st.integers(0, 200), max_size=12),
)
def test_any_cut_of_the_stream_gives_the_same_frames(content, cuts):
    stream = b"".join(b"\rjunk\n" if c is None else framed(c[0], c[1]) for c in content)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    whole, cut = Deframer(), Deframer()
    frames = whole.feed(stream)
    assert [frame for a, b in pairwise(places) for frame in cut.feed(stream[a:b])] == frames
    assert (len(frames), cut.dropped) == (sum(c is not None for c in content), content.count(None))


@given(st.binary(max_size=200))
def test_garbage_gives_no_frame_with_anything_but_numbers(data):
    for content in Deframer().feed(data + b"\n"):
        assert all(math.isfinite(value) for value in numbers(content))


def test_a_frame_that_lost_a_byte_at_either_end_is_dropped_and_the_next_is_not():
    deframer = Deframer()
    assert deframer.feed(b"1\t5.00\n\r2\t5.00\r3\t6.00\n\r4\t7.0\n\r5\t8.00\n") == [b"3\t6.00", b"5\t8.00"]
    assert deframer.dropped == 3


def test_an_endless_line_fills_no_memory():
    deframer = Deframer()
    for _ in range(100):
        deframer.feed(b"x" * 1000)
    assert len(deframer._rest) <= 64
    assert deframer.feed(b"\n" + framed(1, 2.0)) == [b"1\t2.00"]


# The device.


def test_calibration_is_read_back_and_conductances_are_zero_when_it_is_opened():
    with Board(Sketch(conductances=(5.0, 0.0, 3.0, 0, 0, 0, 0, 1.0))) as board, clamp(board) as device:
        assert dict(device.calibration) == dict(zip(CALIBRATION, VALUES, strict=True))
        assert dict(device.conductances) == dict.fromkeys(CONDUCTANCES, 0.0)
        assert board.sketch.conductances == [0.0] * 8


@pytest.mark.parametrize("sign", [1, -1], ids=["as the sketch", "as its description"])
def test_a_conductance_is_never_written_as_a_calibration_whichever_way_the_board_counts(sign):
    with Board(Sketch(sign=sign)) as board:
        with clamp(board) as device:
            device.set("g_Na", 12.5)
            assert board.sketch.conductances == [0.0, 0.0, 12.5, 0.0, 0.0, 0.0, 0.0, 0.0]
            assert device.conductances["g_Na"] == 12.5
            device.zero()
            device.calibrate("voltage_offset", -11.25)
            assert tuple(board.sketch.calibration) == (*VALUES[:-1], -11.25)
        assert board.sketch.conductances == [0.0] * 8


def test_closing_leaves_no_conductance():
    with Board() as board:
        with clamp(board) as device:
            device.set("g_shunt", 3.0)
            device.set("g_EPSC", 1.0)
        assert board.sketch.conductances == [0.0] * 8
        device.close()


def test_an_error_inside_leaves_no_conductance_either(board):
    with pytest.raises(ZeroDivisionError), clamp(board) as device:
        device.set("g_shunt", 3.0)
        raise ZeroDivisionError
    assert board.sketch.conductances == [0.0] * 8


@given(value=st.floats(0.0, 1000.0))
def test_what_is_set_is_what_the_board_says_to_two_decimals(value):
    sketch = Sketch()
    heard(sketch, framed(1, value))
    from hardware.dyclamp import _rounded

    assert f"{sketch.conductances[0]:.2f}" == f"{_rounded(value):.2f}"


def test_its_reports_are_read_and_commands_go_on_meanwhile(board):
    with clamp(board) as device:
        told = []
        while len(told) < 3:
            told += device.reports(2.0)
        assert told[0] == Report(-68.74, 0.0, 9.0)
        device.set("g_shunt", 10.0)
        told = []
        while not told or told[-1].current == 0.0:
            told = told + device.reports(2.0)
        assert told[-1].current == pytest.approx(687.4, abs=0.6)


def test_a_report_that_no_membrane_can_have_is_left_out(board):
    with clamp(board) as device:
        device.reports(2.0)
        board.from_board = lambda data: data.replace(b"-68.74", b"-868.74")
        device._take(0.1)
        device._came.clear()
        assert device.reports(0.1) == []


def test_a_board_that_still_reports_to_somebody_is_opened_all_the_same():
    with Board() as board:
        board.sketch.report = True
        with clamp(board) as device:
            assert not board.sketch.report
            assert device.reports(2.0)


@pytest.mark.parametrize(
    ("name", "value"), [("g_shunt", -1.0), ("g_Na", 1001.0), ("g_H", math.nan), ("g_H", math.inf), ("g_Kv", 1.0)]
)
def test_what_the_sketch_can_not_do_is_refused_before_it_is_said(board, name, value):
    with clamp(board) as device:
        written = len(board.sketch.written)
        with pytest.raises(DyClampError, match=r"were wanted|has no conductance"):
            device.set(name, value)
        assert len(board.sketch.written) == written


def test_it_is_not_calibrated_while_it_injects(board):
    with clamp(board) as device:
        device.set("g_H", 1.0)
        with pytest.raises(DyClampError, match="set every conductance to zero before"):
            device.calibrate("amplifier_gain", 20.0)


@pytest.mark.parametrize(("name", "value"), [("gain", 1.0), ("input_slope", math.nan), ("input_slope", 1e6)])
def test_a_calibration_that_is_none_is_refused(board, name, value):
    with clamp(board) as device, pytest.raises(DyClampError, match=r"has no calibration|was wanted"):
        device.calibrate(name, value)


def test_a_converter_that_could_inject_more_than_the_limits_is_refused(board):
    with pytest.raises(DyClampError, match=r"can inject -1067 to 1117 pA .* beyond the limits \[-1000, 1000\] pA"):
        clamp(board, Limits()).open()
    with clamp(board) as device:
        assert device.current_range == pytest.approx((-1066.67, 1117.33), abs=0.01)
        with pytest.raises(DyClampError, match="beyond the limits"):
            device.calibrate("command_sensitivity", 2000.0)
        with pytest.raises(DyClampError, match="beyond the limits"):
            device.set("g_shunt", 1.0)


def test_it_says_that_it_has_to_be_watched():
    assert DyClamp.supervised_only


# The line.

SPOILT = {
    "a digit that became another": lambda data: data.replace(b"7.00", b"9.00"),
    "a digit that was lost": lambda data: data.replace(b"7.00", b".00"),
    "a sign that was lost": lambda data: data.replace(b"\r1\t", b"\r-1\t"),
    "an end that was lost": lambda data: data.replace(b"\n", b""),
    "a beginning that was lost": lambda data: data.replace(b"\r", b""),
    "a burst of garbage": lambda data: bytes(range(128, 160)) + b"\n\r\t",
    "a frame that was lost": lambda data: b"",
    "a frame that came twice": lambda data: data + data,
}


# Each waits until the board is quiet; on the way back no command can become another, so most of those may wait.
WAYS = [
    pytest.param(spoil, way, marks=pytest.mark.long if way == "from_board" and k % 4 else ())
    for k, spoil in enumerate(SPOILT)
    for way in ("to_board", "from_board")
]


@pytest.mark.parametrize(("spoil", "way"), WAYS)
def test_a_spoilt_command_ends_as_it_was_meant_or_with_no_conductance(board, spoil, way):
    with clamp(board, patience=0.25) as device:
        setattr(board, way, once(SPOILT[spoil], b"\r1\t7.00"))
        try:
            device.set("g_shunt", 7.0)
        except DyClampError as error:
            assert "all its conductances are zero now" in str(error)
            assert board.sketch.conductances == [0.0] * 8
            assert not any(device.conductances.values())
        else:
            assert board.sketch.conductances == [7.0] + 7 * [0.0]
            assert tuple(board.sketch.calibration) == VALUES
        setattr(board, way, lambda data: data)
        device._patience = 2.0
        if tuple(board.sketch.calibration) == VALUES:
            device.set("g_shunt", 5.0)
            assert board.sketch.conductances[0] == 5.0


def test_a_dump_that_was_spoilt_is_not_believed(board):
    with clamp(board, patience=0.25) as device:
        board.from_board = once(lambda data: data.replace(b"\r3.00\t0.00", b"\r3.00\t4.00"), b"\r3.00\t0.00")
        with pytest.raises(
            DyClampError, match=r"it has other values than it was told.*all its conductances are zero now"
        ):
            device.set("g_shunt", 7.0)
        assert board.sketch.conductances == [0.0] * 8


def test_a_board_that_falls_silent_is_said_not_to_have_been_told(board):
    device = clamp(board)
    device.open()
    device.set("g_shunt", 7.0)
    device._patience = 0.05
    board.to_board = lambda data: b""
    with pytest.raises(
        DyClampError, match=r"could not be told to inject nothing .*switch the amplifier's external command"
    ):
        device.close()
    assert board.sketch.conductances[0] == 7.0


@pytest.mark.parametrize("moment", ["at a set", "at the close", "at a report"])
def test_a_board_that_is_unplugged_is_said_not_to_have_been_told(moment):
    with Board() as board:
        device = clamp(board)
        device.open()
        device.set("g_shunt", 7.0)
        board.unplug()
        if moment == "at a set":
            with pytest.raises(DyClampError, match="could not be told"):
                device.set("g_shunt", 1.0)
        if moment == "at a report":
            with pytest.raises(PortLost, match="is gone"):
                device.reports(0.1)
        with pytest.raises(DyClampError, match=r"could not be told to inject nothing .*is gone"):
            device.close()


def test_a_port_where_nobody_answers_is_named():
    with Board() as board:
        board.to_board = lambda data: b""
        with pytest.raises(DyClampError, match=rf"The dyClamp at {board.name} did not answer to '0 0' within 0.05 s"):
            clamp(board, patience=0.05).open()


def test_another_sketch_is_refused():
    with (
        Board(Sketch(calibration=VALUES[:-1])) as board,
        pytest.raises(DyClampError, match=r"version 1.0|all its"),
    ):
        clamp(board, patience=0.5).open()


def test_a_closed_device_says_so(board):
    device = clamp(board)
    for use in (device.zero, lambda: device.set("g_H", 1.0), lambda: device.reports(0.1)):
        with pytest.raises(DyClampError, match="open it first"):
            use()
