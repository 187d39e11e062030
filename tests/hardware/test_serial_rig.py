"""The serial rig, over the real line to the real firmware."""

import os
import pty
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

import hardware.serial_rig
from hardware.amplifier import AmplifierError, Reading, Setting
from hardware.amplifier_manual import ManualAmplifier
from hardware.counts import Channel
from hardware.line import Line, LineError, check_rate, needed_baud
from hardware.port import PortError
from hardware.rig import RigClosed, RigError
from hardware.serial_rig import SerialRig
from hardware.telegram import Alive
from simulators.limits import Limits
from simulators.stimulus import Dose, Epoch, Stimulus, step

STEP = step(100.0, onset=20.0, duration=30.0, tail=20.0)
PASSIVE = {"g_Na": 0.0, "g_K": 0.0, "g_M": 0.0}
RESPONSE, COMMAND = Channel(0, 0.015625), Channel(1, 0.0625)


def rig_on(port, response=RESPONSE, command=COMMAND, output=0.0625, **settings):
    return SerialRig(port, response, command, output, **settings)


def played(rig, stimulus=STEP):
    blocks = list(rig.play(stimulus))
    assert not any(block.lost for block in blocks)
    return tuple(np.concatenate([getattr(block, name) for block in blocks]) for name in ("response", "command"))


def levels(log):
    """The course of the output, a row a change: time [us], level [counts], time since anything was heard [us]."""
    return np.loadtxt(log, dtype=int, ndmin=2)


def until(holds, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("rate", [5.0, 20.0, 40.0])
def test_every_sample_is_answered_at_each_rate(rate, board):
    with rig_on(board(**PASSIVE).port, rate=rate) as rig:
        response, command = played(rig)
    np.testing.assert_array_equal(command, STEP.command(rate))
    assert response[0] == -70.0
    assert response[round(50.0 * rate)] == response.max()
    assert response[round(20.0 * rate)] == -70.0 < response[round(21.0 * rate)]


def test_the_last_samples_come_where_they_fill_no_frame(board):
    stimulus = step(100.0, onset=20.35, duration=30.1, tail=20.0)
    with rig_on(board(**PASSIVE).port) as rig:
        assert played(rig, stimulus)[0].size == 1409


def test_a_stimulus_of_many_epochs_and_one_of_none_as_long_as_two_samples_are_played(board):
    rng = np.random.default_rng(1)
    short = tuple(Epoch(float(level), 0.05) for level in rng.integers(-200, 200, 1500))
    long = tuple(Epoch(float(level), 1.3) for level in rng.integers(-200, 200, 60))
    with rig_on(board(**PASSIVE).port) as rig:
        for epochs in (short, long):
            stimulus = Stimulus("current", epochs)
            np.testing.assert_array_equal(played(rig, stimulus)[1], stimulus.command(20.0))


def test_all_four_channels_are_sampled_and_two_are_taken(board):
    with rig_on(board(**PASSIVE).port, Channel(3, 0.015625), channels=4) as rig:
        response, command = played(rig)
    np.testing.assert_array_equal(command, STEP.command(20.0))
    assert (response == 0.0).all()


def test_what_a_count_is_holds_for_one_gain_of_the_amplifier_only(board):
    stands = Reading(
        Setting("current", "telegraph"), Setting(10.0, "telegraph"), sensitivity=Setting(400.0, "telegraph")
    )
    amplifier = ManualAmplifier(stands)
    rig = rig_on(board(**PASSIVE).port)
    rig.ask(amplifier)
    with rig:
        played(rig)
        for name, value in (("gain", 20.0), ("sensitivity", 2000.0)):
            amplifier.enter(replace(stands, **{name: Setting(value, "telegraph")}))
            with pytest.raises(AmplifierError, match=rf"{name} was (10|400) when .* is {value:g} now"):
                next(rig.play(STEP))
        amplifier.enter(stands)
        played(rig)


def test_a_channel_that_the_device_amplifies_means_the_same_voltage(board):
    with rig_on(board(**PASSIVE).port) as rig:
        plain = played(rig)[0]
    with rig_on(board(**PASSIVE).port, Channel(0, 0.015625, 4)) as rig:
        fine = played(rig)[0]
        assert rig.gains["response"].value == 0.00390625
    assert not (plain % 0.015625).any()
    assert (fine % 0.015625).any()
    np.testing.assert_allclose(fine, plain, atol=0.012)


def test_the_cell_stands_at_the_holding_before_between_and_after(board, tmp_path):
    log = tmp_path / "output"
    device = board(log=log, **PASSIVE)
    with rig_on(device.port, exit_level=-25.0) as rig:
        played(rig)
        assert rig.output == -25.0
        blocks = rig.hold(30.0)
        assert next(blocks).command[-1] == 30.0
        blocks.close()
        assert rig.output == -25.0
    assert levels(log)[:, 1].tolist() == [-400, 0, 1600, 0, -400, 480, -400]


def test_a_stop_is_at_the_output_within_50_ms(board, tmp_path):
    log = tmp_path / "output"
    with rig_on(board(log=log, speed=1, **PASSIVE).port) as rig:
        blocks = rig.play(step(100.0, onset=20.0, duration=5000.0, tail=20.0))
        for _ in range(4):
            next(blocks)
        rig.stop()
        assert list(blocks) == []
        assert rig.output == 0.0
        assert rig.status.made < 5000
    assert levels(log)[-1, 1] == 0


def test_what_was_uploaded_is_not_sent_again(board):
    with rig_on(board(**PASSIVE).port) as rig:
        played(rig)
        said = rig._dialogue._sequence
        played(rig)
        assert rig._dialogue._sequence - said == 2  # start and stop


DRIVER = """
import sys
from hardware.amplifier import AmplifierError, Reading, Setting
from hardware.amplifier_manual import ManualAmplifier
from hardware.counts import Channel
from hardware.serial_rig import SerialRig
from hardware.telegram import Alive
from simulators.stimulus import step

with SerialRig(sys.argv[1], Channel(0, 0.015625), Channel(1, 0.0625), 0.0625) as rig:
    for block in rig.play(step(100.0, onset=20.0, duration=30_000.0, tail=20.0)):
        if block.command[-1] == 100.0:
            print("in the step", flush=True)
"""


def test_a_driver_that_is_killed_in_a_step_leaves_the_cell_at_the_exit_level_within_250_ms(board, tmp_path):
    log = tmp_path / "output"
    device = board(log=log, silence_ms=250, speed=1, **PASSIVE)
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, device.port], stdout=subprocess.PIPE, text=True)
    with driver:
        assert driver.stdout.readline() == "in the step\n"
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    until(lambda: levels(log)[-1, 1] == 0)
    time_, level, silent = levels(log).T
    assert level.tolist() == [1600, 0]
    assert silent[-1] <= 250_000
    assert time_[-1] - time_[0] < 30_000_000
    with rig_on(device.port) as rig:
        assert rig.status.cause == 3
        played(rig)


def test_a_sweep_that_the_watchdog_ended_says_so(board):
    with rig_on(board(silence_ms=200, speed=1, **PASSIVE).port) as rig:
        blocks = rig.play(step(100.0, onset=20.0, duration=5000.0, tail=20.0))
        next(blocks)
        rig._dialogue.keeps_awake = False
        with pytest.raises(RigError, match="heard nothing from this computer"):
            list(blocks)
        assert rig.output == 0.0


def test_samples_that_were_taken_too_late_are_told(board, tmp_path):
    log = tmp_path / "output"
    with rig_on(board(log=log, late=1, **PASSIVE).port) as rig:
        with pytest.raises(RigError, match="took 1400 samples too late"):
            list(rig.play(STEP))
        assert rig.output == 0.0
    assert levels(log)[-1, 1] == 0


def test_a_sweep_that_lasts_longer_than_the_silence_is_played_to_its_end(board):
    stimulus = step(100.0, onset=50.0, duration=900.0, tail=50.0)
    with rig_on(board(silence_ms=400, speed=1, **PASSIVE).port) as rig:
        assert played(rig, stimulus)[0].size == 20_000


def test_a_board_whose_clock_stands_still_is_told_of(board):
    with rig_on(board(speed=0, **PASSIVE).port) as rig, pytest.raises(RigError, match="plays and takes no samples"):
        list(rig.play(STEP))


def test_a_device_of_another_version_is_refused(board):
    with pytest.raises(RigError, match="speaks version 7 of the protocol, 1 was wanted: put the firmware"):
        rig_on(board(protocol=7).port).open()


def test_a_port_in_use_is_refused(board):
    port = board().port
    with rig_on(port), pytest.raises(PortError, match="in use by another program"):
        rig_on(port).open()


def test_a_rig_that_could_not_be_opened_leaves_its_port_free(board):
    port = board(protocol=7).port
    for _ in range(2):
        with pytest.raises(RigError, match="version 7"):
            rig_on(port).open()


def test_a_port_behind_which_nothing_answers_is_refused(monkeypatch):
    monkeypatch.setattr(hardware.serial_rig, "_BOOTS", 2)
    near, far = pty.openpty()
    try:
        with pytest.raises(RigError, match=r"does not answer .* see that the port is that of the board"):
            rig_on(os.ttyname(far)).open()
    finally:
        os.close(near)
        os.close(far)


def test_a_rate_that_the_line_can_t_carry_is_refused_before_anything_is_opened():
    with pytest.raises(LineError, match=r"2 channels at 20 kHz need a line of 9\d\d,\d\d\d baud .* 115,200: raise"):
        rig_on("/dev/nowhere", baud=115_200)
    assert needed_baud(2.4, 2) < 115_200
    check_rate(20.0, 2, 1_000_000)


def test_a_rate_that_the_device_does_not_have_is_refused(board):
    with pytest.raises(RigError, match="the device has 4 at up to 50 kHz"):
        rig_on(board().port, rate=60.0, baud=4_000_000).open()


def test_a_command_beyond_the_output_is_refused():
    rig = rig_on("/dev/nowhere", output=0.01, limits=Limits(-1000.0, 1000.0))
    with pytest.raises(RigClosed):
        rig.play(STEP)
    with pytest.raises(RigError, match=r"spans \[0, 400\] pA, the output reaches \[-327.68, 327.67\] pA"):
        rig._check(step(400.0))


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"rate": 20.0005}, "rate is 20.0005 kHz, a whole number of Hz"),
        ({"rate": 0.5}, "rate is 0.5 kHz"),
        ({"rate": float("nan")}, "rate is nan kHz"),
        ({"exit_level": 2000.0}, "exit level is 2000 pA, outside the limits"),
        ({"response": Channel(1, 0.1)}, "Response and command are channels 1 and 1 of 2"),
        ({"response": Channel(2, 0.1)}, "Response and command are channels 2 and 1 of 2"),
        ({"command": Channel(1, 0.0)}, "A count of the command is 0.0"),
        ({"output": float("nan")}, "A count of the output is nan"),
        ({"exit_level": -900.0, "output": 0.01}, "the output reaches"),
    ],
)
def test_what_can_t_be_a_rig_is_refused_before_anything_is_opened(settings, complaint):
    with pytest.raises(RigError, match=complaint):
        rig_on("/dev/nowhere", **settings)


def test_a_stimulus_that_the_rig_does_not_have_is_refused(board):
    with rig_on(board().port) as rig:
        with pytest.raises(RigError, match="currents only"):
            rig.play(replace(STEP, clamp="voltage"))
        with pytest.raises(RigError, match="virtual drugs"):
            rig.play(Stimulus("current", (Epoch(0.0, 10.0), Epoch(10.0, 10.0, (Dose("g_M", 0.0),)))))
        wild = tuple(Epoch(float(k % 2), 0.05) for k in range(60_000))
        with pytest.raises(RigError, match="takes 120000 bytes and the device has room for 80000"):
            rig.play(Stimulus("current", wild))


def test_a_closed_line_says_so():
    line = Line("/dev/nowhere", 115_200, True, print, print)
    with pytest.raises(PortError, match="is closed: open it first"):
        line.send(Alive().frame(0))
