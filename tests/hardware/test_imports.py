import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module", ["hardware", "hardware.replay", "hardware.model_cell", "hardware.recorder", "hardware.inspection"]
)
def test_hardware_loads_neither_torch_nor_numba_nor_a_file_library_before_it_needs_it(module):
    loads = f"import sys, {module}; sys.stdout.write(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "numba", "pyabf", "pynwb"} & set(loaded)
