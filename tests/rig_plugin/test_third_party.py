"""Rigs of somebody else: installed as pip does it, listed, opened by a rig file, and no harm where they are broken."""

import json
import os
import pickle
import subprocess
import sys

import pytest
from foreign_drivers import ROOT, declared

from hardware.rig import Rig
from rig_plugin.__main__ import main
from rig_plugin.opening import rig
from rig_plugin.plugins import PluginError
from rig_plugin.settings import Settings, SettingsError, read

PATCHBOX = declared()["patchbox"]
FAILS = "can't be used, amplifiers 1.2 fails with "
BROKEN = {
    "failing": ("1 / 0", f"{FAILS}ZeroDivisionError: division by zero"),
    "torn": ("def rig(", f"{FAILS}SyntaxError: "),
    "wanting": ("import a_vendor_that_is_nowhere", "needs a_vendor_that_is_nowhere, which is not installed: pip inst"),
    "mistyped": ("rig = 3", "is 3, something to call was wanted"),
    "barren": ("def rig(settings): return ['rig']", "made ['rig'], a hardware.rig.Rig was wanted"),
    "greedy": ("def rig(): return None", f"{FAILS}TypeError: rig() takes 0"),
    "wordy": ("def rig(settings): raise OSError('no\\nboard')", f"{FAILS}OSError: no board"),
}


@pytest.fixture
def rig_file(tmp_path):
    def write(text):
        path = tmp_path / "RIG.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def listed(capsys):
    assert main(["plugins", "--json"]) == 0
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)["plugins"] if row["kind"] == "rigs"}


def test_what_others_installed_is_listed_with_what_it_needs(others, capsys):
    rigs = listed(capsys)
    patchbox = rigs["patchbox"]
    assert (patchbox["from"], patchbox["version"], patchbox["at"]) == ("patchbox", "0.3", "patchbox:patchbox")
    assert (patchbox["needs"], patchbox["installed"]) == ("numpy", True)
    assert (rigs["my-box"]["from"], rigs["my-box"]["needs"], rigs["my-box"]["installed"]) == ("my-box", None, True)


@pytest.mark.long
def test_the_program_runs_a_session_on_a_rig_that_it_does_not_know(site, rig_file, tmp_path):
    out = tmp_path / "box.h5"
    asked = ("run", str(rig_file(PATCHBOX)), "--sweeps", "2", "--speed", "max", "--out", str(out), "--json")
    path = os.pathsep.join([str(site), str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "rig_plugin", *asked],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["features"]["rest"] == pytest.approx(-68.0, abs=0.01)
    assert second["features"]["input_resistance"] == pytest.approx(100.0, rel=1e-3)
    assert out.is_file()


def test_a_table_of_its_own_reaches_a_driver_and_no_further(others, rig_file, capsys):
    settings = read(rig_file(PATCHBOX))
    # The engine of the window is another process.
    box = rig(pickle.loads(pickle.dumps(settings)))  # noqa: S301 - our own
    assert (box.exit_level, box.rate, box.limits.high) == (-20.0, 10.0, 500.0)
    for old, new, said in (
        ("resistance_MOhm", "resistance", "[patchbox] has no key resistance: use resistance_MOhm, capacitance_pF"),
        ("= 120.0", "= 0", "[patchbox] capacitance_pF is 0, a number between 1 and 1000 was wanted"),
        ("exit_pA = -20", "exit_pA = 900", "[patchbox] exit_pA is 900.0, a current within [limits] was wanted"),
    ):
        path = rig_file(PATCHBOX.replace(old, new))
        assert main(["run", str(path), "--membrane-test", "current"]) == 2
        told = capsys.readouterr().err
        assert told.startswith(f"{path}: {said}")
        assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("high_pA = 500.0", "", r"\[limits\] is missing or not whole"),
        ('"patchbox"', '"my-box"', r"\[patchbox\] is unknown: use \[rig\], .* or \[my-box\]"),
        ("[patchbox]", "[driver]", r"\[driver\] is unknown"),
        ('"patchbox"', '"serial"', r"\[patchbox\] is unknown: use .* or \[refine\]"),
        ("patchbox", "model-cell", r"\[model-cell\] is unknown"),
    ],
)
def test_a_rig_file_of_another_is_refused_by_the_same_rules(old, new, said, rig_file):
    with pytest.raises(SettingsError, match=said):
        read(rig_file(PATCHBOX.replace(old, new)))


def test_a_table_that_its_driver_does_not_read_is_refused(install, rig_file):
    text = "from hardware.model_cell import ModelCell\ndef rig(settings): return ModelCell(None)\n"
    install("[rig_plugin.rigs]\nplain = plain_rig:rig\n", plain_rig=text)
    file = '[rig]\nkind = "plain"\n[limits]\nlow_pA = -9\nhigh_pA = 9\n[protocol]\namplitudes_pA = [5]\n'
    assert isinstance(rig(read(rig_file(file))), Rig)
    with pytest.raises(SettingsError, match=r"\[plain\] has port, and the driver 'plain' reads no table of its own"):
        rig(read(rig_file(f"{file}[plain]\nport = 3\n")))


def test_a_broken_package_is_named_in_a_sentence_and_harms_nobody_else(install, others, rig_file, capsys):
    points = "".join(f"{name} = broken_{name}:rig\n" for name in BROKEN)
    modules = {f"broken_{name}": text for name, (text, _) in BROKEN.items()}
    install(f"[rig_plugin.rigs]\n{points}garbled = no module at all\n", **modules)
    rigs = listed(capsys)
    assert {rigs[name]["from"] for name in BROKEN} == {"amplifiers"}
    assert (rigs["garbled"]["installed"], rigs["patchbox"]["installed"]) == (False, True)
    for name, (_, said) in BROKEN.items():
        with pytest.raises(PluginError) as caught:
            rig(read(rig_file(PATCHBOX.replace("patchbox", name))))
        assert str(caught.value).startswith(f"'{name}' of the rigs {said}")
        assert "\n" not in str(caught.value)
        assert isinstance(rig(read(rig_file(PATCHBOX))), Rig)
    assert isinstance(rig(Settings()), Rig)


def test_what_a_package_lacks_is_told_before_it_is_opened(install, capsys):
    install("[rig_plugin.rigs]\nboard = a_board:rig [boards]\n", a_board="1 / 0")
    board = listed(capsys)["board"]
    assert board["needs"] == "torch, h5py, board_driver-that.is-nowhere, numpy"
    assert board["installed"] is False
