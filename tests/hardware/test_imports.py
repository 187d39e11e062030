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


def test_hardware_and_the_rigs_load_without_what_the_extras_bring():
    code = "import sys; sys.modules.update(dict.fromkeys(['nidaqmx', 'grpc', 'google'])); import importlib, pkgutil; "
    code += "import hardware, rig_plugin.rigs; "
    code += "[importlib.import_module(m.name) for m in pkgutil.walk_packages(hardware.__path__, 'hardware.')]"
    subprocess.run([sys.executable, "-c", code], check=True)
