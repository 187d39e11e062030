"""The CUDA device gives what the processor gives: in numba's simulator of one, and on a real one where there is any."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from simulators import device
from simulators.moments import NAMES, summarize
from simulators.pospischil import CONSTANTS, STATES
from simulators.refusal import Refusal
from simulators.thread import begun, kernel

ROOT = Path(__file__).resolve().parents[2]
CELL = (100.0, 0.1, 50.0, 5.0, 0.07, 600.0, -60.0, -70.0, 1.0, 0.1)
LEVELS = (0.0, 325.0, 0.0)
# Neither an even number of steps nor whole tiles.
DURATIONS = (10.025, 40.0, 1.0)
SIMULATED = """
import json, sys
import numpy as np
from simulators import device
given = [np.array(values) for values in json.loads(sys.stdin.read())]
device._LAUNCH = int(given.pop())
cells, reversals, durations, levels = given
rng = np.random.default_rng(4)
found = device.summarize(cells, reversals, durations, levels, rng)
sys.stdout.write(json.dumps([found.tolist(), rng.integers(2**32).item()]))
"""


def batch(b):
    """Cells of which some fire, with noise in every second one."""
    cells = np.tile(CELL, (b, 1))
    cells[:, 2], cells[:, 6] = np.linspace(5.0, 80.0, b), np.linspace(-80.0, -50.0, b)
    cells[::2, 9] = 0.0
    return cells, np.tile([53.0, -107.0], (b, 1)), DURATIONS, np.tile(LEVELS, (b, 1))


@pytest.fixture(scope="module")
def simulated():
    """What the simulator gives of 12 cells, the last without a number, in launches of five; and the processor's."""
    given = batch(12)
    given[0][-1, 1] = np.nan
    launch = 5 * round((DURATIONS[0] + DURATIONS[1]) / 0.025)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SIMULATED],
        input=json.dumps([*(np.asarray(values).tolist() for values in given), launch]),
        cwd=ROOT,
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    found, drawn = json.loads(done.stdout)
    rng = np.random.default_rng(4)
    return np.array(found), summarize(*given, rng), drawn, rng.integers(2**32)


@pytest.mark.long
def test_the_simulated_device_gives_what_the_processor_gives(simulated):
    ours, theirs, *_ = simulated
    assert len(np.unique(theirs[:-1, NAMES.index("spike_count")])) > 3
    np.testing.assert_array_equal(ours[:, 0], theirs[:, 0])
    # A simulated thread calls functions that are compiled for the processor: only the order of the sums differs, in
    # float32 over tiles of a hundred samples.
    np.testing.assert_allclose(ours, theirs, rtol=5e-6, atol=2e-5)


@pytest.mark.long
def test_a_cell_that_blows_up_has_none_on_the_simulated_device_either(simulated):
    ours, *_ = simulated
    assert np.isnan(ours[-1]).all()
    assert np.isfinite(ours[:-1]).all()


@pytest.mark.long
def test_the_generator_is_left_as_the_processor_leaves_it(simulated):
    *_, drawn, expected = simulated
    assert drawn == expected


def test_a_real_device_gives_what_the_processor_gives():
    try:
        device.name()
    except device.DeviceError as error:
        pytest.skip(str(error))
    given = batch(256)
    ours, theirs = device.summarize(*given, np.random.default_rng(4)), summarize(*given, np.random.default_rng(4))
    np.testing.assert_array_equal(ours[:, 0], theirs[:, 0])
    # The two compilers fuse other multiplications and additions. When none is fused, the processor's own answers move
    # by up to 1.1e-3 in the worst of such cells, and by 2e-7 in the median one.
    np.testing.assert_allclose(ours[:, 1:], theirs[:, 1:], rtol=2e-3, atol=1e-4)
    assert (np.median(np.abs(ours / theirs - 1.0)[:, 3:], axis=0) < 1e-5).all()


def test_the_kernel_compiles_for_a_device_and_keeps_its_state_in_registers():
    pytest.importorskip("numba_cuda", reason="The extra 'cuda' is not installed: its compiler can't be asked.")
    from numba import cuda, types

    single, double = types.float32, types.float64
    signature = (
        *(single[:, ::1] for _ in range(3)),
        *(single[::1], types.uint32[::1], types.int32[::1]),
        *(double[:, :, ::1], types.int64[::1]),
    )
    written, _ = cuda.compile_ptx(kernel(cuda).py_func, signature, cc=(7, 5))
    assert "fma.rn.f32" in written
    assert "div.rn.f32" in written
    assert "local" not in written


def test_cells_begin_at_their_leak_with_what_a_block_of_lanes_begins_with():
    cells, reversals, *_ = batch(3)
    row, state = begun(cells, reversals)
    assert (row.shape, state.shape) == ((CONSTANTS, 3), (STATES, 3))
    np.testing.assert_allclose(state[0], cells[:, 7] - cells[:, 6], rtol=1e-6)
    assert ((state[1:5] > 0) & (state[1:5] < 1)).all()


def test_without_a_device_it_refuses_and_names_the_remedy(monkeypatch):
    from numba import cuda

    monkeypatch.setattr(cuda, "is_available", lambda: False)
    monkeypatch.setattr(cuda, "cuda_error", lambda: "\nNo driver.\n")
    with pytest.raises(
        device.DeviceError, match=r"none that can be used: No driver\. Install .*'cuda', or simulate on"
    ):
        device.summarize(*batch(2), np.random.default_rng(0))
    monkeypatch.setattr(cuda, "cuda_error", lambda: None)
    with pytest.raises(device.DeviceError, match="libNVVM"):
        device.name()
    assert issubclass(device.DeviceError, Refusal)


def test_a_numba_without_cuda_is_refused_likewise(monkeypatch):
    monkeypatch.delattr(numba, "cuda", raising=False)
    monkeypatch.setitem(sys.modules, "numba.cuda", None)
    with pytest.raises(device.DeviceError, match=r"none that can be used: .*numba.*\. Install"):
        device.name()


def test_nothing_of_cuda_is_loaded_before_it_is_asked_for():
    code = "import sys, simulators.device, rig_plugin.benchmarks.simulators; "
    code += "sys.exit(any(name.startswith(('numba.cuda', 'numba_cuda.')) for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
