"""What all tests share: in which order and in how many processes they run, the real recordings, and the device."""

import contextlib
import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from foreign_drivers import install
from hypothesis import settings

FIRMWARE = Path(__file__).resolve().parents[1] / "hardware" / "firmware"

# Of all that a property is tried on, a run that is waited for tries less than one that is not.
settings.register_profile("brief", parent=settings.get_profile("ci"), max_examples=30)

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


def pytest_addoption(parser: pytest.Parser) -> None:
    """A rig that the tests don't know is brought under the contract by its rig file."""
    parser.addoption("--rig-file", metavar="RIG.toml", type=Path, help="Hold this rig against the contract.")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Two processes share all tests file by file; what is asked for by its path stays in this one."""
    option = config.option
    if getattr(option, "markexpr", "") == "long":
        option.hypothesis_profile = "ci"
    if hasattr(config, "workerinput") or not hasattr(option, "numprocesses"):
        return
    if option.numprocesses is None and config.args_source is config.ArgsSource.TESTPATHS and not option.usepdb:
        option.numprocesses = 2
    if option.numprocesses and option.dist == "no":
        option.dist, option.loadscopereorder = "loadfile", False
        if option.maxworkerrestart is None:
            # Where a process dies all end: the one that takes its place gets no file, and is waited for for ever.
            option.maxworkerrestart = "0"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, so that no process is left alone with one at the end."""
    rank = {Path(__file__).parent / name: k for k, name in enumerate(FIRST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.fixture(autouse=True)
def lulled() -> Iterator[None]:
    """Leave what was there before a test out of every search for garbage: kernels leave millions of objects."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real recordings."""
    folder = Path(os.environ.get("RIG_DATA", Path(__file__).resolve().parents[1] / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"Real recordings are neither in {folder} nor in the folder named by RIG_DATA.")
    return folder.resolve()


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """A folder into which pip has installed the drivers of others, once for all processes that share the tests."""
    mine = tmp_path_factory.mktemp("site")
    is_alone = "PYTEST_XDIST_WORKER" not in os.environ
    folder = (mine.parent if is_alone else mine.parent.parent) / "drivers-of-others"
    if not folder.exists():
        install(mine)
        # Where the other process was faster, it is the same.
        with contextlib.suppress(OSError):
            mine.rename(folder)
    return folder


@pytest.fixture
def others(site, monkeypatch) -> Path:
    """Lets this process find the drivers of others, as if they were installed beside it."""
    monkeypatch.syspath_prepend(str(site))
    return site


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Compiles the device's own code for this computer, with a cell behind it and room for so many frames."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform == "win32":
        pytest.skip("The firmware is compiled by a C compiler named cc, which is not installed here.")
    folder = tmp_path_factory.mktemp("firmware")

    def make(blocks=8192) -> Path:
        program = folder / f"computer-{blocks}"
        if not program.exists():
            sources = [*FIRMWARE.glob("*.c"), *FIRMWARE.glob("computer/*.c")]
            strict = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-DDEVICE_BLOCKS={blocks}")
            subprocess.run([compiler, *strict, *map(str, sources), "-lm", "-o", str(program)], check=True)
        return program

    return make


class Board:
    """The device in a process of its own, on a pseudo-terminal.

    Unless a test is about time, its clock is five times as fast as ours and it bears two of our seconds of silence: a
    busy computer is not what is tested.
    """

    def __init__(self, program, **settings):
        words = [f"{name}={value}" for name, value in ({"silence_ms": 10_000, "speed": 5} | settings).items()]
        self._process = subprocess.Popen([program, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self._process.stdout.readline().strip()

    def reset(self):
        self._process.send_signal(signal.SIGUSR1)

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def unplug(self):
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        for end in (self._process.stdin, self._process.stdout):
            end.close()


@pytest.fixture
def board(compiled):
    """Makes devices: board(C=100.0) is one whose cell has 100 pF."""
    made = []

    def make(program=None, **settings):
        made.append(Board(program or compiled(), **settings))
        return made[-1]

    yield make
    for one in made:
        one.unplug()
