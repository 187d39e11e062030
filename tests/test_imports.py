"""Who may import whom, and what an import may cost."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("torch", "numba", "zuko", "h5py", "pynwb", "pyabf", "scipy", "PyQt5", "pyqtgraph")


def loaded_by(statement, candidates):
    """Which of the candidates a fresh interpreter has loaded after a statement."""
    code = f"import sys; {statement}; sys.stdout.write(' '.join(m for m in {candidates!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    "package", ["rig_plugin", "rig_plugin.widgets", "rig_plugin.commands", "estimators", "simulators", "hardware"]
)
def test_a_package_imports_nothing_by_itself(package):
    assert loaded_by(f"import {package}", (*HEAVY, "numpy", "click")) == []


def test_hardware_loads_neither_torch_nor_numba():
    everything = "import importlib, pkgutil, hardware; [importlib.import_module(m.name) for m in "
    everything += "pkgutil.walk_packages(hardware.__path__, 'hardware.')]"
    assert loaded_by(everything, ("torch", "numba", "zuko", "PyQt5", "pyqtgraph", "estimators", "rig_plugin")) == []


def test_the_front_door_opens_light():
    assert loaded_by("import rig_plugin.__main__", HEAVY) == []


def test_every_command_shows_its_help_without_its_libraries():
    every = "from rig_plugin.__main__ import COMMANDS, program; import click; "
    every += "[program.get_command(None, name).get_help(click.Context(click.Command(name))) for name in COMMANDS]"
    assert loaded_by(every, HEAVY) == []


def test_the_import_contracts_hold():
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
