"""A dyClamp of a rig file is refused where something was not said, and shown in the window while it injects."""

import os
import signal
import sys
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from hardware.injection import Injection
from rig_plugin import opening
from rig_plugin.dyclamp_settings import DyClampSettings
from rig_plugin.engine import opened
from rig_plugin.engine.client import Client
from rig_plugin.settings import ProtocolSettings, RigSettings, SettingsError, read
from rig_plugin.widgets.injection_line import InjectionLine
from rig_plugin.widgets.theme import LIGHT
from rig_plugin.window import Window

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "rig_dyclamp.toml"


def test_the_example_says_all_that_it_takes():
    told = read(EXAMPLE).dyclamp
    assert {name: value for name, value in told.conductances.items() if value} == {"g_shunt": 2.0}
    assert told.calibration["input_offset"] == -11500.0
    assert told.companion(read(EXAMPLE).limits.limits(), print) is not None
    assert DyClampSettings().companion(read(EXAMPLE).limits.limits(), print) is None


def test_the_example_holds_when_its_instances_are_uncommented(tmp_path):
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "rig.toml"
    path.write_text("\n".join(line.removeprefix("# ") if "_nS" in line else line for line in lines), encoding="utf-8")
    told = {name: value for name, value in read(path).dyclamp.conductances.items() if value}
    assert told == {
        "g_shunt": 2.0, "g_H": 5.0, "g_Na": 10.0, "g_EPSC": 1.0, "OU1_mean": 3.0, "OU1_D": 0.5, "OU2_mean": 3.0,
        "OU2_D": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ("port = ", "", "has no port"),
        ("supervised = ", "", "has no watchdog"),
        ("supervised = ", 'supervised = "perhaps"', "'yes' or 'no' was wanted"),
        ("input_slope_mV", "", "lacks input_slope_mV"),
        ("output_slope", "output_slope = 0.0", "output_slope is 0"),
        ("g_shunt_nS", "g_shunt_nS = 51.0", "g_shunt is 51 nS, at most largest_nS = 50"),
        ("g_shunt_nS", "g_shunt_nS = -1.0", "between 0 and 10000"),
        ("low_pA", "", "low_pA and high_pA are needed"),
        ("g_shunt_nS", "g_M_nS = 1.0", "no key g_M_nS"),
    ],
)
def test_a_table_that_leaves_something_open_is_refused(tmp_path, line, instead, said):
    path = tmp_path / "rig.toml"
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(instead if each.startswith(line) else each for each in lines), encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        read(path)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_the_line_tells_what_is_injected_with_its_age_and_that_nobody_watches(qtbot):
    line = InjectionLine(clock := Clock())
    qtbot.addWidget(line)
    assert line.words == ""
    state = Injection("dyClamp on P", {"g_shunt": 2.0, "OU1_D": 0.5}, False, 3, -68.74, 137.4, 9.0)
    line.tell(state)
    clock.now += 12.0
    line._draw()
    assert line.words == (
        "dyClamp on P   g_shunt 2 nS  OU1_D 0.500 nS2/ms   V −68.7 mV  I 137 pA  cycle 9 us   12 s ago | "
        "▲ SUPERVISED ONLY: no watchdog"
    )
    line.tell(replace(state, conductances={}, voltage=None))
    assert line.words == "dyClamp on P   injects nothing   now"
    line.tell(replace(state, conductances={}, fault="It is gone."))
    line.wear(LIGHT)
    assert line.words == "■ dyClamp on P: It is gone.   now | ▲ SUPERVISED ONLY: no watchdog"
    assert LIGHT.danger in line._label.styleSheet()
    line.clear()
    assert line.words


@pytest.fixture
def injecting(qtbot, scripted):
    """A window over an engine whose session has a board beside its rig, once that injects."""
    if sys.platform == "win32":
        pytest.skip("A pty is wanted.")
    from dyclamp_emulator import Board

    with Board() as board:
        settings = replace(read(EXAMPLE), rig=RigSettings(seed=1), protocol=ProtocolSettings((50.0,) * 100))
        settings = replace(settings, dyclamp=replace(settings.dyclamp, port=board.name))
        parameters = opening.network().spec.parameters
        with (
            closing(Client(partial(opened.attach, settings), parameters)) as client,
            closing(Window(client, parameters, scripted.features, "net", "cell", feed=client)) as window,
        ):
            qtbot.addWidget(window)
            window.start()
            injects = f"dyClamp on {board.name}   g_shunt 2 nS   V −68.7 mV  I 137 pA  cycle 9 us"
            # Where the kernels have to be compiled first, that comes before the rig is opened.
            qtbot.waitUntil(lambda: injects in window.injection.words or not window.is_running, timeout=300_000)
            assert "SUPERVISED ONLY" in window.injection.words, window.status_line.words()
            yield window, client, board


@pytest.mark.long
def test_the_window_shows_that_a_board_injects_nothing_after_a_stop(qtbot, injecting):
    window, _, board = injecting
    window.stop()
    qtbot.waitUntil(lambda: not window.is_running, timeout=30_000)
    qtbot.waitUntil(lambda: "injects nothing" in window.injection.words)
    assert board.sketch.conductances == [0.0] * 8
    assert "SUPERVISED ONLY" not in window.injection.words


@pytest.mark.long
def test_the_window_says_that_a_board_injects_on_when_the_engine_was_killed(qtbot, injecting):
    window, client, board = injecting
    os.kill(client.process, signal.SIGKILL)
    qtbot.waitUntil(lambda: bool(window.guardian.words), timeout=20_000)
    assert "■ OUTPUT NOT RETURNED" in window.guardian.words
    assert f"The dyClamp on {board.name} has no watchdog" in window.guardian.words
    assert board.sketch.conductances[0] == 2.0
    assert "SUPERVISED ONLY" in window.injection.words
