"""What all tests share: in which order and in how many processes they run, and the real recordings."""

import os
from pathlib import Path

import pytest

# The longest, of which no two neighbours compile the same kernels: who needs them later finds them compiled.
FIRST = (
    "simulators/test_batch.py",
    "simulators/test_patchseq.py",
    "simulators/test_stg.py",
    "simulators/test_patched.py",
    "rig_plugin/test_benchmarks_simulators.py",
    "simulators/test_compartments.py",
    "simulators/test_adex.py",
    "rig_plugin/test_loop.py",
    "simulators/test_batches.py",
    "simulators/test_simulator.py",
    "simulators/test_electrode.py",
    "simulators/test_pyloric.py",
    "simulators/test_cortical.py",
    "estimators/test_pretraining.py",
    "estimators/test_training.py",
    "estimators/test_generation.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Two processes share all tests file by file; what is asked for by its path stays in this one."""
    option = config.option
    if hasattr(config, "workerinput") or not hasattr(option, "numprocesses"):
        return
    if option.numprocesses is None and config.args_source is config.ArgsSource.TESTPATHS and not option.usepdb:
        option.numprocesses = 2
    if option.numprocesses and option.dist == "no":
        option.dist, option.loadscopereorder = "loadfile", False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, so that no process is left alone with one at the end."""
    rank = {Path(__file__).parent / name: k for k, name in enumerate(FIRST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real recordings."""
    folder = Path(os.environ.get("RIG_DATA", Path(__file__).resolve().parents[1] / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"Real recordings are neither in {folder} nor in the folder named by RIG_DATA.")
    return folder.resolve()
