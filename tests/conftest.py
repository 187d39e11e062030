"""What all tests share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.compiled import is_cold

COMPILING = """
import numpy as np
from simulators.adex import AdEx
from simulators.firing_type import RegularSpiking
from simulators.passive import Passive
from simulators.patchseq import PatchSeq
from simulators.stg_neuron import StgNeuron
from simulators.stimulus import Epoch, Stimulus, step
for cell in (PatchSeq(), AdEx(), RegularSpiking(), StgNeuron(settling=1.0), Passive()):
    theta = np.array([[parameter.low for parameter in cell.parameters]])
    cell.simulate(theta, step(0.0, onset=1.0, duration=2.0, tail=1.0), 20.0, np.random.default_rng(0))
    if "voltage" in cell.clamps:
        test = Stimulus("voltage", (Epoch(-70.0, 1.0), Epoch(-80.0, 1.0)))
        cell.simulate(theta, test, 20.0, np.random.default_rng(0))
"""


@pytest.fixture(scope="session", autouse=True)
def compiling():
    """After an installation, the kernels that come late are compiled beside the first tests."""
    if not is_cold():
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", COMPILING], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real recordings."""
    folder = Path(os.environ.get("RIG_DATA", Path(__file__).resolve().parents[1] / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"Real recordings are neither in {folder} nor in the folder named by RIG_DATA.")
    return folder.resolve()
