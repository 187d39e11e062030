"""The telegraphs of an Axopatch 200B on inputs of a board: read by the unmodified nidaqmx client, around each sweep."""

import numpy as np
import pytest

from hardware.amplifier import AmplifierError
from hardware.axopatch import Axopatch200B
from hardware.nidaq_wiring import Input
from hardware.rig import Gain, RigClosed, RigError
from rig_plugin import opening
from rig_plugin.settings import read
from simulators.stimulus import step

pytestmark = pytest.mark.usefixtures("no_thread_is_left")

STEP = step(80.0, holding=-20.0, onset=100.0, duration=300.0, tail=200.0)
VOLT = Gain(1.0, "V/V", "made")
TELEGRAPHS = {name: Input(f"ai{k}", VOLT) for k, name in enumerate(("mode", "gain", "filter"), 4)}
SCALED = Input("ai0", Gain(100.0, "mV/V", "made"))


@pytest.fixture
def server(serve):
    running = serve()
    running.turn("current", 10.0)
    return running


@pytest.fixture
def rig(server, attached, wired):
    made = attached(server, wiring=wired(server, SCALED, pA=2000.0, telegraphs=TELEGRAPHS))
    made.ask(Axopatch200B(made.telegraphs))
    return made


def test_the_telegraphs_are_read_before_and_after_each_sweep_while_none_runs(server, rig):
    with rig:
        server.calls.clear()
        for _ in range(2):
            assert sum(block.response.size for block in rig.play(STEP)) == 6000
            assert rig.invalid is None
        told = [call for call in server.calls if call in ("StartTask", "StopTask")]
        # The telegraphs; input and output of the sweep; the telegraphs again.
        telegraphs, sweep = ["StartTask", "StopTask"], ["StartTask", "StartTask", "StopTask", "StopTask"]
        assert told == 2 * [*telegraphs, *sweep, *telegraphs]
        reading = rig.origin.amplifier
    assert (reading.mode.value, reading.gain.value, reading.corner.value) == ("current", 10.0, 5.0)
    assert (reading.mode.source, reading.gain.source) == ("telegraph", "telegraph")


def test_a_gain_switch_that_is_turned_in_the_middle_of_a_sweep_invalidates_that_sweep_only(server, rig):
    with rig:
        blocks = rig.play(STEP)
        next(blocks)
        server.turn("current", 20.0)
        list(blocks)
        assert "gain from 10 to 20" in rig.invalid
        server.turn("current", 10.0)
        list(rig.play(STEP))
        assert rig.invalid is None


def wrong_mode(server):
    server.turn("voltage", 10.0)


def no_current(server):
    server.turn("zero", 10.0)


def between(server):
    server.telegraphs["Dev1/ai4"] = 1.5


def no_gain(server):
    server.telegraphs["Dev1/ai5"] = 7.5


def loose(server):
    server.telegraphs["Dev1/ai5"] = 0.0


@pytest.mark.parametrize(
    ("turned", "said"),
    [
        (wrong_mode, "in voltage clamp"),
        (no_current, "in I = 0"),
        (between, "between its positions"),
        (no_gain, "between its positions"),
        (loose, "between its positions"),
    ],
)
def test_nothing_is_put_out_where_the_mode_is_wrong_or_a_voltage_matches_no_entry(server, rig, turned, said):
    turned(server)
    with rig:
        puts = list(server.puts)
        for begin in (lambda: rig.seen(STEP), lambda: next(rig.play(STEP)), lambda: next(rig.hold(20.0))):
            with pytest.raises(AmplifierError, match=said):
                begin()
        assert set(server.puts[len(puts) :]) <= {0.0}
        # Only the telegraphs have a clock: no stimulus was ever made ready.
        assert server.calls.count("CfgSampClkTiming") == 1
        assert server.output == 0.0


def test_telegraphs_that_can_not_be_read_after_a_sweep_leave_it_unused_and_raise_nothing(server, rig):
    with rig:
        blocks, count = rig.play(STEP), 0
        while count < 6000:
            count += next(blocks).response.size
        server.faults = {0: (-200361, 100)}
        assert list(blocks) == []
        assert "unknown, so the sweep is not used" in rig.invalid
        assert "-200361" in rig.invalid


def test_telegraphs_are_not_read_while_the_cell_is_sampled(rig):
    with rig:
        blocks = rig.play(STEP)
        count = next(blocks).response.size
        with pytest.raises(RigError, match="sampling the cell"):
            rig.telegraphs()
        assert count + sum(block.response.size for block in blocks) == 6000
        assert sorted(rig.telegraphs()) == ["filter", "gain", "mode"]


def test_telegraphs_are_not_read_of_a_closed_rig_or_where_none_is_wired(server, rig, attached):
    with pytest.raises(RigClosed):
        rig.telegraphs()
    with attached(server) as unwired, pytest.raises(RigError, match=r"No input of Dev1 .* mode_telegraph = \"ai4\""):
        unwired.telegraphs()


def test_a_telegraph_can_not_be_the_cell_nor_another_telegraph(server, wired):
    for name, at in (("mode", "ai0"), ("gain", "ai4")):
        with pytest.raises(RigError, match=f"{at} of Dev1 is wired twice"):
            wired(server, SCALED, telegraphs=TELEGRAPHS | {name: Input(at, VOLT)})
    wired(server, SCALED, telegraphs=TELEGRAPHS, others={"gain": TELEGRAPHS["gain"]})


RIG = """
[rig]
kind = "nidaq"
[nidaq]
device = "Dev1"
server = "{server}"
response_mV_per_V = 100
command_pA_per_V = 2000
mode_telegraph = "ai4"
gain_telegraph = "ai5"
filter_telegraph = "ai6"
[amplifier]
kind = "axopatch-200b"
[limits]
low_pA = -200
high_pA = 500
"""


def test_a_rig_file_is_enough_for_an_axopatch_behind_a_board(server, tmp_path):
    path = tmp_path / "rig.toml"
    path.write_text(RIG.format(server=server.address), encoding="utf-8")
    with opening.rig(read(path)) as rig:
        response = np.concatenate([block.response for block in rig.play(STEP)])
        assert rig.origin.amplifier.gain.value == 10.0
    np.testing.assert_allclose(response, -70.0 + 0.1 * STEP.command(20.0), rtol=0, atol=1e-9)
