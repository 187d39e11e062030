import json
from dataclasses import replace

import numpy as np
import pytest

from hardware.amplifier import Amplifier, Reading, Setting
from hardware.membrane import Membrane
from hardware.model_cell import ModelCell
from hardware.pulse import CURRENT, VOLTAGE
from hardware.rig import Block, RigLost
from rig_plugin.__main__ import main
from rig_plugin.access import alarms
from rig_plugin.membrane_tests import ModelCellCheck, membrane_tests
from rig_plugin.patch_settings import PatchSettings
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.rigs import model_cell
from rig_plugin.settings import ProtocolSettings, RigSettings, Settings
from simulators.electrode import IDEAL
from simulators.passive import Passive
from simulators.refusal import Refusal

RULES = QualitySettings()
GOOD = Membrane("voltage", 12.0, 200.0, 80.0, 0.9, -30.0, -70.0, 0.99)


def broken(now, first=None):
    return [(alarm.rule, alarm.grade) for alarm in alarms(now, first, RULES)]


def test_a_good_cell_breaks_no_rule():
    assert broken(GOOD) == []
    assert broken(replace(GOOD, access=13.0), GOOD) == []


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"access": 22.0}, [("access_warn", "warn")]),
        ({"access": 29.9}, [("access_warn", "warn")]),
        ({"access": 31.0, "resistance": 400.0}, [("access_stop", "stop")]),
        ({"resistance": 60.0}, [("access_share", "warn")]),
        ({"holding": -140.0}, [("holding", "stop")]),
        ({"holding": -1500.0}, [("holding", "stop")]),
        ({"access": 24.0, "holding": 140.0}, [("holding", "stop"), ("access_warn", "warn")]),
    ],
)
def test_each_rule_is_broken_by_what_it_is_about_and_the_gravest_comes_first(changes, rules):
    assert broken(replace(GOOD, **changes)) == rules


@pytest.mark.parametrize("access", [9.0, 15.0])
def test_an_access_that_changed_makes_before_and_after_incomparable(access):
    assert broken(replace(GOOD, access=access), GOOD) == [("access_change", "stop")]


def test_neither_a_seal_nor_a_bridge_that_is_off_is_held_against_the_rules_of_a_cell():
    assert broken(replace(GOOD, capacitance=1.0, access=40.0)) == []
    assert broken(replace(GOOD, clamp="current", access=40.0, holding=300.0)) == []


def test_a_seal_that_stayed_poor_is_told_of_the_cell_behind_it():
    def told(seal, then=True):
        patch = PatchSettings(bath=1000.0, seal=1000.0, sealed=seal)
        settings = Settings(RigSettings(seed=1, pace="max"), patch=patch, protocol=ProtocolSettings(interval=1000.0))
        with model_cell(settings) as rig:
            tests = list(membrane_tests(rig, VOLTAGE, 4, QualitySettings(off=("access_warn", "access_share"))))
        return [([alarm.rule for alarm in tested.alarms]) for tested in tests if tested.stage == "whole cell"]

    assert told(0.6) == [["seal"], ["seal"]]
    assert told(3.0) == [[], []]


class Patched(ModelCell):
    """A rig whose cell and pipette can be changed between two tests."""

    def __init__(self, series=10.0):
        self.series, self.theta = series, (80.0, 5.0, -70.0)

        def simulate(stimulus, rate, rng):
            return Passive(electrode=replace(IDEAL, series=self.series)).simulate(
                np.array([self.theta]), stimulus, rate, rng
            )[0]

        super().__init__(simulate, 20.0, pace="max", interval=0.0, clamps=("voltage", "current"))


def test_a_change_of_access_is_told_from_the_first_test_of_this_cell():
    with Patched() as rig:
        told = []
        for tested in membrane_tests(rig, VOLTAGE, 5, RULES):
            told.append((tested.index, tested.stage, [alarm.rule for alarm in tested.alarms]))
            # The pipette clogs, the cell is left for the bath, and another is found through the same pipette.
            rig.series = {0: 10.5, 1: 14.0, 2: 14.0, 3: 14.0}.get(tested.index, 14.0)
            rig.theta = (1.0, 200.0, -70.0) if tested.index == 2 else (80.0, 5.0, -70.0)
    assert told == [
        (0, "whole cell", []),
        (1, "whole cell", []),
        (2, "whole cell", ["access_change"]),
        (3, "bath", []),
        (4, "whole cell", []),
    ]
    assert rig.output == 0.0


def test_a_pulse_with_lost_samples_is_no_test():
    class Losing(Patched):
        def _read(self):
            block = super()._read()
            return None if block is None else Block(block.response, block.command, lost=3)

    with Losing() as rig, pytest.raises(RigLost, match="lost"):
        list(membrane_tests(rig, VOLTAGE, 1, RULES))


def test_a_rig_that_is_stopped_in_the_middle_of_a_pulse_gives_no_test():
    class Stopping(Patched):
        def _read(self):
            self.stop()
            return super()._read()

    with Stopping() as rig:
        assert list(membrane_tests(rig, VOLTAGE, 3, RULES)) == []


class Fixed(Amplifier):
    """An amplifier that stands as it was told, and then as it was told next."""

    def __init__(self, *readings):
        self.readings = list(readings)

    def _read(self):
        return self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]


def test_what_the_amplifier_tells_of_bridge_and_holding_is_part_of_the_test():
    told = {"mode": "current", "bridge": 9.0, "holding": -40.0, "corner": 10.0}
    reading = Reading(**{name: Setting(value, "commander") for name, value in told.items()})
    with_amplifier, rig = [], Patched()
    rig.ask(Fixed(reading))
    with rig:
        with_amplifier += membrane_tests(rig, CURRENT, 1, RULES)
    (found,) = (tested.membrane for tested in with_amplifier)
    assert found.holding == -40.0
    assert found.potential == pytest.approx(-70.0 - 40.0 / 5.0, abs=0.05)
    # The bridge has taken 9 MOhm off and leaves nothing but the delay of a filter that this cell does not have.
    assert found.access == pytest.approx(9.0, abs=0.7)


@pytest.mark.parametrize(
    ("modes", "said"),
    [
        (["current"], "is in current clamp .* nothing is put out"),
        (["voltage", "voltage", "zero"], "changed during the sweep"),
        (["voltage", "zero"], "is in I = 0 .* nothing is put out"),
    ],
)
def test_an_amplifier_in_another_mode_or_changed_meanwhile_gives_no_test(modes, said):
    rig = Patched()
    rig.ask(Fixed(*(Reading(mode=Setting(mode, "commander")) for mode in modes)))
    with rig, pytest.raises(Refusal, match=said):
        list(membrane_tests(rig, VOLTAGE, 2, RULES))
    assert rig.output == 0.0


def test_a_model_cell_is_held_against_what_it_has():
    check = ModelCellCheck(250.0, 80.0)
    assert check.off(GOOD) == {"access": None, "resistance": pytest.approx(-0.2), "capacitance": pytest.approx(0.0)}
    assert check.off(replace(GOOD, resistance=float("nan")))["resistance"] is None


@pytest.fixture
def rig_file(tmp_path):
    path = tmp_path / "rig.toml"
    path.write_text(
        '[rig]\npace = "max"\nseed = 3\n[electrode]\nseries_MOhm = 25.0\n[quality]\naccess_warn_MOhm = 24\n'
    )
    return path


def test_the_command_tells_each_test_and_what_the_model_cell_has(capsys, rig_file):
    asked = ["run", str(rig_file), "--membrane-test", "voltage", "--sweeps", "2", "--model-cell", "180,90,25", "--json"]
    assert main(asked) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["test"] for row in rows] == [0, 1]
    for row in rows:
        assert row["stage"] == "whole cell"
        assert [alarm["rule"] for alarm in row["alarms"]] == ["access_warn"]
        assert row["expected"] == {"access_MOhm": 25.0, "resistance_MOhm": 180.0, "capacitance_pF": 90.0}
        assert abs(row["off"]["access"]) < 0.02 and abs(row["off"]["capacitance"]) < 0.03
        assert row["potential_mV"] == -70.0


def test_the_command_shows_a_row_a_test_in_current_clamp_too(capsys, rig_file):
    assert main(["run", str(rig_file), "--membrane-test", "current", "--sweeps", "2", "--model-cell", "180,90"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split()[:3] == ["test", "access", "MOhm"]
    assert len(rows) == 2
    assert all("whole cell" in row and "resistance: 180 was expected, " in row for row in rows)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--model-cell", "500,33"], "add --membrane-test"),
        (["--membrane-test", "voltage", "--model-cell", "500"], "'500' was given"),
        (["--membrane-test", "voltage", "--model-cell", "500,-3"], "'500,-3' was given"),
        (["--membrane-test", "voltage", "--model-cell", "a,b"], "'a,b' was given"),
        (["--membrane-test", "voltage", "--gap-free", "3"], "records nothing"),
    ],
)
def test_what_can_not_be_asked_for_is_refused_in_one_sentence(capsys, rig_file, asked, said):
    assert main(["run", str(rig_file), *asked]) == 2
    assert said in capsys.readouterr().err


def test_in_voltage_clamp_nothing_is_put_out_before_a_cell_while_nobody_tells_the_mode(tmp_path, monkeypatch, capsys):
    path = tmp_path / "rig.toml"
    path.write_text('[rig]\npace = "max"\nseed = 1\n')
    monkeypatch.setattr(ModelCell, "is_alive", True)
    monkeypatch.setattr(ModelCell, "_start", lambda *_: pytest.fail("Something was put out."))
    assert main(["run", str(path), "--membrane-test", "voltage", "--sweeps", "1", "--json"]) == 2
    assert 'kind = "manual" and mode = "voltage" in [amplifier]' in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setattr(ModelCell, "is_alive", True)
    path.write_text('[rig]\npace = "max"\nseed = 1\n[amplifier]\nkind = "manual"\nmode = "voltage"\n')
    assert main(["run", str(path), "--membrane-test", "voltage", "--sweeps", "1", "--json"]) == 0
