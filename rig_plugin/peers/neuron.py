"""This file is the peer NEURON: the eLife cell in a mechanism of the same equations, many sections in one run.

In float64, by its default implicit method with exact steps of the gates, on all cores, without noise. The mechanism,
`pospischil.mod` beside this file, is compiled by `nrnivmodl`, which wants a C++ compiler.
"""

from __future__ import annotations

import functools
import importlib
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import get_num_threads

from rig_plugin.peers.elife import CELL, DENSITY, DURATION, E_K, E_NA, OFFSET, ONSET
from simulators.pospischil import DT

__all__ = ["SWEEPS", "prepare"]

SWEEPS = 128
"""Sweeps a call."""

_SIZE = 20.0


def prepare(sweeps: int) -> Callable[[], npt.NDArray[np.int64]]:
    """Build a batch.

    Args:
        sweeps: How many sweeps a call simulates.

    Returns:
        What simulates it and gives the spikes of each sweep.

    Raises:
        ImportError: If NEURON is not installed.
        OSError: If `nrnivmodl` is missing or could not compile the mechanism.
    """
    h = _program()
    parts = [_section(h) for _ in range(sweeps)]
    parallel = h.ParallelContext()
    parallel.nthread(get_num_threads())

    def run() -> npt.NDArray[np.int64]:
        h.dt = DT
        parallel.set_maxstep(DURATION)
        h.finitialize(CELL["E_leak"])
        parallel.psolve(DURATION)
        return np.array([count.n for _, _, count in parts], dtype=np.int64)

    return run


def _section(h: Any) -> Any:  # noqa: ANN401 - NEURON's own objects
    """Build one cell, its clamp and its counter of spikes."""
    section = h.Section()
    section.L = section.diam = _SIZE
    section.cm = 1.0
    section.insert("pospischil")
    cell = section(0.5).pospischil
    cell.gNa, cell.gK, cell.gM = 1e-3 * CELL["g_Na"], 1e-3 * CELL["g_K"], 1e-3 * CELL["g_M"]
    cell.taumax, cell.VT = CELL["tau_max"], CELL["V_T"]
    cell.gleak, cell.Eleak = 1e-3 * CELL["g_leak"], CELL["E_leak"]
    cell.ENa, cell.EK = E_NA, E_K
    clamp = h.IClamp(section(0.5))
    # uA/cm2 on um2, in nA.
    clamp.delay, clamp.dur, clamp.amp = ONSET, OFFSET - ONSET, 1e-5 * DENSITY * math.pi * _SIZE**2
    count = h.APCount(section(0.5))
    count.thresh = -10.0
    return section, clamp, count


@functools.cache
def _program() -> Any:  # noqa: ANN401 - NEURON's interpreter
    """Start NEURON with the mechanism, once a process: it can't be loaded twice."""
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
    h = importlib.import_module("neuron").h
    compiler = shutil.which("nrnivmodl", path=str(Path(sys.executable).parent)) or shutil.which("nrnivmodl")
    if compiler is None:
        raise FileNotFoundError("nrnivmodl is not on the path")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(Path(__file__).with_name("pospischil.mod"), folder)
        done = subprocess.run([compiler], cwd=folder, capture_output=True, text=True, check=False)
        made = sorted(Path(folder).rglob("libnrnmech.*"))
        if done.returncode or not made:
            said = (done.stderr or done.stdout).strip().rpartition("\n")[2]
            raise OSError(f"nrnivmodl could not compile pospischil.mod: {said}")
        h.nrn_load_dll(str(made[0]))
    return h
