import json
import sys
import types

import numpy as np
import pytest

from rig_plugin.benchmarks import simulators
from rig_plugin.benchmarks.simulators import OPERATIONS, PEERS, measure
from rig_plugin.peers import cuda as peers_cuda
from rig_plugin.peers.elife import CELL, DURATION, SPIKES, STEPS
from simulators import device, lanes, moments, pospischil, pospischil_rest, pospischil_step

KEYS = {"name", "value", "unit", "n", "peer", "peer_version", "ratio", "aim", "met"}


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(simulators, "_TURN", 0.0)
    monkeypatch.setattr(simulators, "operations_per_second", lambda: 1e11)


@pytest.fixture
def figures():
    return {figure["name"]: figure for figure in measure(peers=False, sweeps=200, turns=2)}


def peer(monkeypatch, name, spikes=SPIKES):
    """Put a stand-in for a peer's file there."""
    stand_in = types.ModuleType(name)
    stand_in.SWEEPS = 4
    stand_in.prepare = lambda sweeps: lambda: np.full(sweeps, spikes)
    monkeypatch.setitem(sys.modules, f"rig_plugin.peers.{name}", stand_in)
    return stand_in


def test_every_figure_has_every_key_and_is_json(figures):
    assert all(set(figure) == KEYS for figure in figures.values())
    assert json.dumps(figures, allow_nan=False)
    assert all(figure["n"] == 2 for figure in figures.values())


def test_batches_cores_and_the_step_are_there(figures):
    assert {f"elife_sweeps_per_s_batch_{size}" for size in (2, 20, 200)} < set(figures)
    single, step = figures["elife_sweeps_per_s_threads_1"], figures["step_ns_per_core"]
    assert step["value"] == pytest.approx(1e9 / (single["value"] * 4800))
    main, steps = figures["elife_sweeps_per_s"], figures["steps_per_s"]
    assert steps["value"] == pytest.approx(4800 * main["value"])
    assert figures["share_of_peak"]["value"] == pytest.approx(steps["value"] * OPERATIONS / 1e11)
    assert figures["recorded_sweeps_per_s"]["value"] > 0


def test_peers_that_were_left_out_are_not_named(figures):
    figures = {name: figure for name, figure in figures.items() if name != "cuda_steps_per_s"}
    assert all(figure["peer"] is figure["ratio"] is figure["aim"] is None for figure in figures.values())
    assert not {f"{name}_sweeps_per_s" for name in PEERS} & set(figures)


def test_a_peer_is_measured_and_the_aim_is_fifteen_times_jaxley(monkeypatch):
    for name in PEERS:
        peer(monkeypatch, name)
    monkeypatch.setattr(simulators, "version", lambda name: "1.2")
    figures = {figure["name"]: figure for figure in measure(sweeps=100, turns=1)}
    main = figures["elife_sweeps_per_s"]
    assert (main["peer"], main["peer_version"]) == ("jaxley", "1.2")
    assert main["aim"] == pytest.approx(15.0 * figures["jaxley_sweeps_per_s"]["value"])
    assert main["met"] == (main["value"] >= main["aim"])
    for name in PEERS:
        figure = figures[f"{name}_sweeps_per_s"]
        assert figure["ratio"] == pytest.approx(main["value"] / figure["value"])
        assert (figure["aim"], figure["met"]) == (None, None)


def test_a_peer_that_is_not_installed_is_named_as_such(monkeypatch):
    for name in ("jax", "jaxley", "brian2", "neuron"):
        monkeypatch.setitem(sys.modules, name, None)

    def missing(name):
        raise simulators.PackageNotFoundError(name)

    monkeypatch.setattr(simulators, "version", missing)
    figures = {figure["name"]: figure for figure in measure(sweeps=100, turns=1)}
    for name in PEERS:
        figure = figures[f"{name}_sweeps_per_s"]
        assert (figure["peer"], figure["peer_version"]) == (name, "not installed")
        assert figure["value"] is figure["ratio"] is None
    assert figures["elife_sweeps_per_s"]["value"] > 0


def test_a_peer_that_fails_says_of_what_and_the_others_are_measured(monkeypatch):
    for name in PEERS:
        peer(monkeypatch, name)
    sys.modules["rig_plugin.peers.brian2"].prepare = lambda sweeps: {}["no\nway"]
    monkeypatch.setattr(simulators, "version", lambda name: "1.2")
    figures = {figure["name"]: figure for figure in measure(sweeps=100, turns=1)}
    assert figures["brian2_sweeps_per_s"]["peer_version"].startswith("1.2 could not be measured: KeyError")
    assert figures["brian2_sweeps_per_s"]["ratio"] is None
    assert figures["neuron_sweeps_per_s"]["ratio"] > 0


def test_without_a_device_its_steps_are_unknown_and_the_reason_is_told(monkeypatch):
    def refuse():
        raise device.DeviceError("There is none.")

    monkeypatch.setattr(peers_cuda, "name", refuse)
    figure = {figure["name"]: figure for figure in measure(peers=False, sweeps=100, turns=1)}["cuda_steps_per_s"]
    assert (figure["value"], figure["aim"], figure["met"], figure["ratio"]) == (None, 1e10, None, None)
    assert figure["peer_version"] == "could not be measured: DeviceError: There is none."


def test_a_device_is_measured_in_steps_up_to_the_end_of_the_current(monkeypatch):
    asked = []

    def summarize(cells, *others):
        asked.append(len(cells))
        return np.full((len(cells), 7), float(SPIKES))

    for module in (peers_cuda, device):
        monkeypatch.setattr(module, "name", lambda: "A device")
    monkeypatch.setattr(peers_cuda, "summarize", summarize)
    monkeypatch.setattr(simulators._Turns, "rate", 3e6)
    figures = {figure["name"]: figure for figure in measure(peers=False, sweeps=100, turns=1, peer_sweeps=6)}
    assert figures["cuda_steps_per_s"]["value"] == pytest.approx(4400 * 3e6)
    assert figures["cuda_steps_per_s"]["met"]
    assert figures["cuda_steps_per_s"]["peer_version"] == "A device"
    assert set(asked) == {6}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_fires_the_published_spikes(name):
    # With a NumPy that brian2 does not know it raises AttributeError; NEURON's compiler needs find_libpython.
    for library in {"jaxley": ("jaxley",), "brian2": ("brian2",), "neuron": ("neuron", "find_libpython")}[name]:
        pytest.importorskip(library, reason=f"{library} can't be used.", exc_type=(ImportError, AttributeError))
    run = simulators.importlib.import_module(f"rig_plugin.peers.{name}").prepare(3)
    for _ in range(2):
        np.testing.assert_array_equal(run(), np.full(3, SPIKES))


class Counted(float):
    """A number that counts what is done with it."""

    done = 0

    def _do(operation):  # noqa: N805 - it makes methods
        def method(self, *others):
            Counted.done += 1
            return Counted(getattr(float, operation)(self, *others))

        return method

    __add__, __radd__, __sub__, __rsub__ = map(_do, ("__add__", "__radd__", "__sub__", "__rsub__"))
    __mul__, __rmul__, __truediv__, __rtruediv__ = map(_do, ("__mul__", "__rmul__", "__truediv__", "__rtruediv__"))


def state_and_constants():
    """A lane of the eLife cell as the step works on it, its last row first in line for a voltage."""
    row = np.zeros((pospischil.CONSTANTS, lanes.LANES), dtype=np.float32)
    state = np.zeros((pospischil.STATES, lanes.LANES), dtype=np.float32)
    for lane in range(lanes.LANES):
        pospischil.constants(np.array(list(CELL.values())), 53.0, -107.0, pospischil.DT, row, lane)
        pospischil_rest.resting(row, lane, 0.0, state)
    work = np.zeros((pospischil.WORK, lanes.LANES), dtype=np.float32)
    work[: pospischil.STATES] = state
    pospischil.prepare(work, row)
    return np.array([[Counted(value)] for value in work[:, 0]], dtype=object)


def test_a_step_has_as_many_operations_as_are_said(monkeypatch):
    work = state_and_constants()
    for module in (lanes, pospischil, pospischil_step, moments):
        for name, value in list(vars(module).items()):
            if isinstance(value, np.float32):
                monkeypatch.setattr(module, name, Counted(value))
            elif hasattr(value, "py_func"):
                monkeypatch.setattr(module, name, value.py_func)
        for name, value in (("float32", Counted), ("int32", int), ("LANES", 1)):
            monkeypatch.setattr(module, name, value, raising=False)
    monkeypatch.setattr(lanes, "types", types.SimpleNamespace(int32=int))
    monkeypatch.setattr(pospischil, "congruent", lambda state: state)
    tile = np.empty((2, 1), dtype=object)
    monkeypatch.setattr(Counted, "done", 0)
    for row in tile:
        pospischil.advance(work, np.array([12345], dtype=np.uint32))
        pospischil.put(work, row)
    assert -72.0 < tile[1, 0] < -66.0
    monkeypatch.setattr(moments.np, "zeros", lambda shape, dtype: np.full(shape, Counted(0.0), object))
    moments._add(tile, 2, [Counted(-70.0)], [Counted(-70.0)])
    assert Counted.done == 2 * OPERATIONS


def test_the_sweep_has_as_many_steps_as_are_said():
    assert round(DURATION / pospischil.DT) == STEPS
