"""This file is what the window's tests share: an offscreen screen, a scripted cell, and a guard against leaks."""

import gc
import multiprocessing
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTEST_QT_API", "pyqt5")

import numpy as np
import pytest

from estimators.context import Context
from rig_plugin.feed import Feed, RecordingStatus
from rig_plugin.tasks.cell import Cell
from rig_plugin.tasks.elife_sweep import featured, record
from rig_plugin.trial import Latency, Posterior, Trial, Trust
from simulators.parameter import Parameter
from simulators.stimulus import Stimulus, step
from simulators.sweep import Sweep

RATE = 20.0

PARAMETERS = (
    Parameter("C", "pF", 15.0, 400.0, "log", "Membrane capacitance."),
    Parameter("g_leak", "mS/cm2", 0.005, 0.6, "log", "Density of the leak conductance."),
    Parameter("g_Na", "mS/cm2", 5.0, 120.0, "linear", "Density of the fast sodium conductance."),
    Parameter("g_K", "mS/cm2", 0.5, 30.0, "log", "Density of the delayed rectifier."),
    Parameter("g_M", "mS/cm2", 0.003, 1.0, "log", "Density of the slow potassium conductance."),
    Parameter("tau_max", "ms", 50.0, 3000.0, "log", "Longest time constant of the slow potassium current."),
    Parameter("V_T", "mV", -80.0, -40.0, "linear", "Shifts the spike threshold."),
    Parameter("E_leak", "mV", -100.0, -45.0, "linear", "Reversal potential of the leak."),
    Parameter("kinetics", "1", 0.3, 2.0, "log", "Factor on all rates."),
    Parameter("noise", "pA", 0.1, 30.0, "log", "Current noise."),
    Parameter("bridge", "MOhm", -20.0, 20.0, "normal", "Series resistance left by the bridge balance."),
    Parameter("offset", "mV", -8.0, 8.0, "normal", "Offset of the electrode."),
)
CENTRE = np.array([61.0, 0.05, 48.0, 5.0, 0.07, 800.0, -58.0, -72.0, 0.9, 4.0, 3.0, -0.6])


@dataclass(frozen=True)
class Named:
    """A feature as the table wants it."""

    name: str
    unit: str
    meaning: str


FEATURES = (
    Named("rest", "mV", "Mean voltage over the 50 ms before the step."),
    Named("rest_noise", "mV", "Standard deviation of the voltage before the step."),
    Named("input_resistance", "MOhm", "Steady deflection over the step."),
    Named("time_constant", "ms", "Charging time constant of the membrane."),
    Named("sag", "mV", "Steady state less the trough of a hyperpolarizing step."),
    Named("spike_count", "1", "Spikes during the step."),
    Named("latency", "ms", "Onset to the first threshold."),
    Named("first_interval", "ms", "Between the first two thresholds."),
    Named("adaptation", "1", "Mean relative change of the intervals."),
    Named("threshold", "mV", "Voltage where it first rises by 20 mV/ms."),
    Named("peak", "mV", "Highest voltage of the first spike."),
    Named("half_width", "ms", "Width at half height between threshold and peak."),
    Named("trough", "mV", "Lowest voltage after the first spike."),
)


def response(stimulus: Stimulus, rng: np.random.Generator) -> np.ndarray:
    """Draw a cell that charges, fires above 40 pA and adapts: looks like one, is none."""
    rate, command = RATE, stimulus.command(RATE)
    voltage = np.empty(command.size)
    v, since, slow = -70.0, 1e9, 0.0
    for k, current in enumerate(command):
        v += (-(v + 70.0) + 0.15 * current - slow) / 15.0 / rate
        slow -= slow / 120.0 / rate
        since += 1 / rate
        if v > -52.0 and since > 4.0:
            since, slow = 0.0, slow + 1.4
        if since < 3.0:
            voltage[k] = -52.0 + 88.0 * np.exp(-(((since - 0.6) / 0.35) ** 2)) - 8.0 * (since > 1.2)
            v = -60.0
        else:
            voltage[k] = v
    return voltage + rng.normal(0.0, 0.12, command.size)


def spikes(sweep: Sweep) -> np.ndarray:
    """Find the spikes of a scripted sweep [ms]."""
    above = sweep.response > -20.0
    return (np.flatnonzero(above[1:] & ~above[:-1]) + 1) / sweep.rate


def features(sweep: Sweep) -> dict[str, float]:
    """Measure what the scripted table shows; missing ones are NaN."""
    assert sweep.stimulus is not None
    times = spikes(sweep)
    intervals = np.diff(times)
    rest = float(sweep.response[: round(50 * sweep.rate)].mean())
    nan = float("nan")
    fired = times.size > 0
    return {
        "rest": rest,
        "rest_noise": float(sweep.response[: round(50 * sweep.rate)].std()),
        "input_resistance": nan if fired else 148.2,
        "time_constant": nan if fired else 15.3,
        "sag": nan if fired else 0.21,
        "spike_count": float(times.size),
        "latency": float(times[0] - sweep.stimulus.onset) if fired else nan,
        "first_interval": float(intervals[0]) if intervals.size else nan,
        "adaptation": float(np.mean(np.diff(intervals) / intervals[1:])) if intervals.size > 1 else nan,
        "threshold": -52.13 if fired else nan,
        "peak": float(sweep.response.max()) if fired else nan,
        "half_width": 0.683 if fired else nan,
        "trough": -60.4 if fired else nan,
    }


def make_posterior(sweeps: int, rng: np.random.Generator, n: int = 1000) -> Posterior:
    """Draw around one cell, tighter with every sweep."""
    u = np.stack([p.unconstrain(np.array(c)) for p, c in zip(PARAMETERS, CENTRE, strict=True)])
    spread = 0.7 / np.sqrt(max(sweeps, 1)) * np.linspace(0.5, 1.2, len(PARAMETERS))
    draws = u + spread * (rng.normal(size=(n, u.size)) + 0.3 * rng.normal(size=u.size))
    return Posterior(PARAMETERS, np.column_stack([p.constrain(draws[:, k]) for k, p in enumerate(PARAMETERS)]))


def make_stimulus(index: int) -> Stimulus:
    """Step up a family from -60 pA, with -35 pA of holding."""
    return step(-60.0 + 60.0 * index, holding=-35.0, onset=100.0, duration=500.0, tail=200.0)


def make_sweep(index: int) -> Sweep:
    """Play one step of the family."""
    stimulus = make_stimulus(index)
    rng = np.random.default_rng(index)
    return Sweep(
        response(stimulus, rng), RATE, stimulus, stimulus.command(RATE),
        command_source="recorded channel", holding_source="amplifier",
    )  # fmt: skip


def make_trial(
    index: int = 0,
    *,
    reason: str | None = None,
    score: float = 0.94,
    withheld: bool = False,
    sweep: Sweep | None = None,
    predicted: bool = True,
) -> Trial:
    """Make a trial of the family, believed or not."""
    sweep = sweep or make_sweep(index)
    rng = np.random.default_rng(100 + index)
    measured = features(sweep)
    known = {name: value for name, value in measured.items() if np.isfinite(value)}
    predictive = {k: (v - 0.1 * abs(v) - 0.5, v, v + 0.1 * abs(v) + 0.5) for k, v in known.items()}
    if index >= 3:
        predictive["rest"] = (-69.1, -68.2, -67.3)
    following = make_stimulus(index + 1)
    epochs = [{"level": e.level, "duration_ms": e.duration} for e in following.epochs]
    return Trial(
        index=index,
        file_sweep=None,
        sweep=sweep,
        features=measured,
        posterior=None if withheld else make_posterior(index + 1, rng),
        sweeps_used=0 if withheld else index + 1,
        trust=Trust(not withheld, score, reason),
        latency=Latency(4.0, 9.0 + index, 14.0 + index),
        next_stimulus={"clamp": "current", "step_pA": following.amplitude, "epochs": epochs},
        predictive=predictive if predicted and index else {},
    )


def make_status(received: int = 0, **changes: object) -> RecordingStatus:
    """Say how the recording is doing: well."""
    values: dict[str, object] = {
        "recording": True, "path": "cells/2024_03_01_cell2.h5", "expected": received, "received": received,
        "on_disk": received, "lost": 0, "free_bytes": 41_200_000_000, "elapsed": 761.0,
    }  # fmt: skip
    return RecordingStatus(**(values | changes))  # type: ignore[arg-type]


def play(feed: Feed, index: int, share: float = 1.0) -> Sweep:
    """Send a sweep, or its first part, block by block, as a session would."""
    sweep = make_sweep(index)
    assert sweep.stimulus is not None and sweep.command is not None
    feed.started(sweep.stimulus, sweep.rate, None)
    block = round(20 * sweep.rate)
    for first in range(0, round(share * sweep.response.size), block):
        feed.block(sweep.response[first : first + block], sweep.command[first : first + block])
    return sweep


@dataclass
class Control:
    """A session that notes what it was asked."""

    status: RecordingStatus | None = None
    calls: list[str] = field(default_factory=list)
    looked: tuple[str, ...] = ()
    stands: str = ""

    def start(self) -> None:
        self.calls.append("start")

    def gate(self, mode: str) -> None:
        self.stands = mode

    def go(self) -> None:
        self.calls.append("go")

    def play(self, protocol: object) -> None:
        self.calls.append("play")

    def skip(self) -> None:
        self.calls.append("skip")

    def stop(self) -> None:
        self.calls.append("stop")

    def note(self) -> None:
        self.calls.append("note")

    def refine(self) -> None:
        self.calls.append("refine")

    def look(self, names: tuple[str, ...]) -> None:
        self.looked = tuple(names)

    def record(self, on: bool, folder: Path | None = None) -> None:
        self.calls.append("record" if on else "record no more")

    def mark(self, text: str = "") -> None:
        self.calls.append(f"mark {text}" if text else "mark")


@pytest.fixture
def scripted() -> SimpleNamespace:
    """Give the scripted cell: its parameters, features, sweeps, trials and a session that notes its calls."""
    return SimpleNamespace(
        parameters=PARAMETERS, features=FEATURES, rate=RATE, trial=make_trial, sweep=make_sweep, status=make_status,
        stimulus=make_stimulus, posterior=make_posterior, play=play, control=Control,
    )  # fmt: skip


@pytest.fixture(autouse=True, scope="session")
def a_home_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what the window remembers out of the user's own settings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


def _shared() -> set[str]:
    """Name the shared memory that this process holds, where the system tells; other tests run beside it."""
    maps = Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.is_file() else []
    return {line.split()[-1] for line in lines if "/psm_" in line}


@pytest.fixture(autouse=True)
def nothing_is_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a window, a thread, a process or shared memory; menus are pyqtgraph's own."""
    threads, children = set(threading.enumerate()), set(multiprocessing.active_children())
    windowed = "qtbot" in request.fixturenames
    # Only windows and engines share memory, and the list is long.
    has_engine = windowed or request.path.parent.name == "engine"
    shared = _shared() if has_engine else set()
    # Kernels that were compiled before leave millions of objects, in which nothing of this test's has to be looked for.
    gc.freeze()
    yield
    if windowed:
        from rig_plugin.widgets.qt import QtCore, QtWidgets

        # Qt first, while all that Qt tells of it is there; then what nobody holds, here and not in some later thread.
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
        request.node.funcargs.clear()
        gc.collect()
    gc.unfreeze()
    assert set(threading.enumerate()) <= threads, "A thread outlived the test."
    assert set(multiprocessing.active_children()) <= children, "A process outlived the test."
    left = _shared() - shared if has_engine else set()
    assert not left, f"Shared memory outlived the test: {left}"
    if windowed:
        tops = QtWidgets.QApplication.topLevelWidgets()
        left = [w for w in tops if type(w) is not QtWidgets.QFrame and not isinstance(w, QtWidgets.QMenu)]
        assert not left, f"Widgets outlived the test: {left}"


@pytest.fixture(scope="session")
def elife_family() -> SimpleNamespace:
    """Give a simulated family of the paper's cell, with its theta and its capacitance [pF]."""
    theta = np.array([50.0, 5.0, 0.08, 0.12, 500.0, -58.0, 0.05, -68.0])
    capacitance, rng = 150.0, np.random.default_rng(8)
    currents = (-160.0, -140.0, 0.0, 60.0, 300.0, 350.0, 400.0, 450.0, 500.0, 550.0)
    contexts = tuple(Context(pA, 0.0, 1.0, 300.0, 150.0, 200.0, 20.0) for pA in currents)
    rows = [featured(theta[None], capacitance, each, rng)[0] for each in contexts]
    traces = [record(theta[None], capacitance, each, rng)[0] for each in contexts]
    cell = Cell("elife.abf", np.stack(rows), contexts, tuple(traces))
    return SimpleNamespace(cell=cell, theta=theta, capacitance=capacitance)


METADATA = (
    "Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\nProvides-Extra: boards\nProvides-Extra: toys\n"
    "Requires-Dist: {needs}\nRequires-Dist: h5py>=99\nRequires-Dist: rig_plugin\n"
    "Requires-Dist: somewhere-else; sys_platform == 'nowhere'\n"
    "Requires-Dist: board_driver-that.is-nowhere[grpc]>=1.1; extra == 'boards'\n"
    'Requires-Dist: numpy ; extra == "boards"\nRequires-Dist: scipy; extra == "toys"\n'
)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a distribution on the path, as pip would, with these entry points and modules."""

    def write(points, name="amplifiers", needs="torch", **modules):
        site = tmp_path / name
        folder = site / f"{name}-1.2.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(METADATA.format(name=name, needs=needs), encoding="utf-8")
        (folder / "entry_points.txt").write_text(points, encoding="utf-8")
        for module, text in modules.items():
            (site / f"{module}.py").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))

    return write
