"""What the engine opens: what a session needs is loaded before it is asked for, and nothing else is."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from estimators.checkpoint import CheckpointError
from estimators.observer import Observer
from rig_plugin import opening
from rig_plugin.engine import opened
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.script import Script
from rig_plugin.settings import NetworkSettings, RecordingSettings, Settings
from rig_plugin.stages import RestStage
from simulators import compiled


@pytest.fixture
def loaded(monkeypatch):
    """Which networks were loaded, and that their kernels were."""
    came = []

    class Warmed(Observer):
        def __init__(self, checkpoint):
            self.name = checkpoint

        def warm(self, *, overlays=False):
            came.append((self.name, overlays))

    def network(path=None):
        if path == Path("absent.h5"):
            raise CheckpointError("absent.h5 is not there.")
        return path

    monkeypatch.setattr(opening, "network", network)
    monkeypatch.setattr("estimators.observer.Observer", Warmed)
    monkeypatch.setattr(compiled, "is_cold", lambda: False)
    return came


def test_the_network_of_a_session_is_loaded_before_the_session_is_asked_for(loaded):
    net = Path("net.h5")
    opened.load(partial(opened.attach, Settings(network=NetworkSettings(net))))
    opened.load(partial(opened.replay, ReplaySettings(Path("cell.abf"), network=net)))
    assert loaded == [(net, True), (net, True)]


def test_membrane_tests_and_the_openers_of_others_load_nothing(loaded):
    opened.load(partial(opened.patch, Settings(), "voltage"))
    opened.load(lambda listener: None)
    assert loaded == []


def test_what_can_not_be_loaded_is_left_for_the_session_to_tell(loaded):
    opened.load(partial(opened.attach, Settings(network=NetworkSettings(Path("absent.h5")))))
    assert loaded == []


def test_kernels_that_have_to_be_compiled_are_left_for_the_session_to_tell(loaded, monkeypatch):
    monkeypatch.setattr(compiled, "is_cold", lambda: True)
    opened.load(partial(opened.attach, Settings()))
    assert loaded == []


def test_the_window_does_not_wait_for_torch():
    told = "import sys, rig_plugin.app, rig_plugin.desk; print(*{'torch'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=120, check=True)
    assert run.stdout.split() == []


def test_a_script_of_which_no_rig_file_says_where_it_is_kept_is_kept_in_a_folder_that_is_made(monkeypatch, tmp_path):
    folders = []
    monkeypatch.setattr(opening, "network", lambda path=None: path)
    monkeypatch.setattr(opening, "attach", lambda settings, *what, **named: folders.append(settings.recording.folder))
    played = Script((RestStage(),))
    there, said = tmp_path / "a" / "b", tmp_path / "said"
    opened.script(Settings(), played, None, folder=there)
    assert there.is_dir()
    opened.script(Settings(recording=RecordingSettings(said)), played, None, folder=there)
    opened.script(Settings(), played, None)
    assert folders == [there, said, None] and not said.exists()
