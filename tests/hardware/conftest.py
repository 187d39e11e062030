"""Files and rigs made for the tests of this package."""

import gc
import importlib.util
import json
import sys
import threading
import warnings
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest

from hardware.nidaq import Nidaq
from hardware.nidaq_wiring import Input, Output, Wiring
from hardware.recording import RecordedSweep, Recording
from hardware.rig import Gain, Provenance
from simulators.stimulus import step
from simulators.sweep import Junction

RATE = 10.0
AMPLITUDES = (-50.0, 0.0, 50.0, 100.0)


@pytest.fixture(scope="session")
def nidaq_server():
    """The NI-DAQmx server of the tests, as a module."""
    for name in ("nidaq_board", "nidaq_server"):
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


@pytest.fixture
def serve(nidaq_server):
    """Start NI-DAQmx servers, and end them with the test."""
    with ExitStack() as stack:
        yield lambda **asked: stack.enter_context(nidaq_server.NidaqServer(**{"speed": np.inf, **asked}))


@pytest.fixture
def wired():
    """Wire the server's board: 100 mV/V, 400 pA/V."""

    def wire(server, response=None, device="Dev1", output="ao0", pA=400.0, **more):
        response = response or Input("ai0", Gain(100.0, "mV/V", "made"))
        return Wiring(device, Output(output, Gain(pA, "pA/V", "made")), response, server=server.address, **more)

    return wire


@pytest.fixture
def attached(wired):
    """Make a rig on a server, without a guardian."""

    def make(server, response=None, rate=10.0, wiring=None, **asked):
        return Nidaq(wiring or wired(server, response), rate, silence=np.inf, **asked)

    return make


@pytest.fixture
def no_thread_is_left():
    """Fail a test that leaves a thread running."""
    before = set(threading.enumerate())
    yield
    # Of what this test has made; what was there before it is frozen.
    gc.collect()
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(5.0)
    assert not [thread.name for thread in left if thread.is_alive()]


def _command(amplitude, holding=0.0):
    """100 ms of holding, a 300 ms step, 200 ms of holding."""
    levels = [holding, holding + amplitude, holding]
    return np.repeat(levels, [1000, 3000, 2000])


def _response(amplitude, rng):
    """A membrane of 100 MOhm and 10 ms, with noise."""
    drive = _command(amplitude) * 0.1
    trace = np.empty(drive.size)
    v = 0.0
    for k, target in enumerate(drive):
        v += (target - v) * 0.01
        trace[k] = v
    return trace - 70.0 + rng.normal(0, 0.1, drive.size)


def _family(source="header", noise=0.0, amplitudes=AMPLITUDES, holding=0.0):
    """A small family of current steps."""
    rng = np.random.default_rng(1)
    sweeps = tuple(
        RecordedSweep(
            index=k,
            response=_response(a, rng),
            rate=RATE,
            command=_command(a, holding) + (rng.normal(0, noise, 6000) if noise else 0.0),
            start=datetime(2024, 1, 1, 12, 0, k, tzinfo=UTC),
            command_source=source,
            holding_source="unknown" if source == "header" else "measured",
        )
        for k, a in enumerate(amplitudes)
    )
    return Recording(Path("family.abf"), "made", sweeps, ())


@pytest.fixture
def make_family():
    return _family


@pytest.fixture
def make_nwb():
    return _write_nwb


@pytest.fixture
def recording():
    return _family()


def _write_nwb(path, *, tables=False, conversion=1e-3, offset=0.0, electrodes=1, times=True, bias=None):
    """An NWB file by pynwb, with or without the icephys tables; responses stored as [mV] x 1e-3 by default."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pynwb
        from pynwb.icephys import CurrentClampSeries, CurrentClampStimulusSeries

        file = pynwb.NWBFile("made for a test", "id", datetime(2024, 1, 1, 12, tzinfo=UTC))
        device = file.create_device("amplifier")
        rng = np.random.default_rng(1)
        for e in range(electrodes):
            electrode = file.create_icephys_electrode(name=f"electrode{e}", description="pipette", device=device)
            for k, a in enumerate(AMPLITUDES[: len(AMPLITUDES) - e]):
                volts = _response(a, rng) * 1e-3
                same = {
                    "electrode": electrode,
                    "gain": 1.0,
                    "rate": RATE * 1e3,
                    "starting_time": 2.0 * k if times else 0.0,
                    "sweep_number": k,
                }
                answer = CurrentClampSeries(
                    name=f"answer{e}_{k:02d}",
                    data=(volts - offset) / conversion,
                    conversion=conversion,
                    offset=offset,
                    bias_current=bias,
                    **same,
                )
                asked = CurrentClampStimulusSeries(name=f"asked{e}_{k:02d}", data=_command(a), conversion=1e-12, **same)
                if tables:
                    file.add_intracellular_recording(
                        electrode=electrode,
                        stimulus=asked,
                        stimulus_start_index=500,
                        stimulus_index_count=5000,
                        response=answer,
                        response_start_index=500,
                        response_index_count=5000,
                    )
                else:
                    file.add_stimulus(asked)
                    file.add_acquisition(answer)
        with pynwb.NWBHDF5IO(str(path), "w") as io:
            io.write(file)
    return Path(path)


@pytest.fixture(scope="session")
def make_session():
    return _write_session


_MARK = [("sample", "i8"), ("sweep", "i8"), ("time", h5py.string_dtype()), ("text", h5py.string_dtype())]
_MARGINAL = {"unit": "pF", "q05": 40.0, "q25": 50.0, "median": 60.0, "q75": 70.0, "q95": 80.0, "model_error": None}
_SI = {
    "current": {"response": ("volts", 1e-3), "command": ("amperes", 1e-12)},
    "voltage": {"response": ("amperes", 1e-12), "command": ("volts", 1e-3)},
}


def _write_session(path, sweeps, *, version=2, metadata=None, segments=(), marks=()):
    """A recording by the agreed format; a sweep is a mapping, what it lacks is as in a finished one of `step(50)`."""
    with h5py.File(path, "w") as file:
        created = datetime(2024, 1, 1, 12, tzinfo=UTC).isoformat()
        file.attrs.update({"format": "rig-plugin recording", "version": version, "created": created})
        file["metadata"] = json.dumps(
            metadata or {"rig": "model-cell", "network": "cortical-steps", "checkpoint": None}
        )
        file.create_group("sweeps")
        for k, sweep in enumerate(sweeps):
            _write_sweep(file.create_group(f"sweeps/{k:06d}"), k, **sweep)
        if version > 1:
            file.attrs["software"] = "rig-plugin 0.1.0"
            file["marks"] = np.array(list(marks), dtype=_MARK)
        for k, segment in enumerate(segments):
            _write_segment(file.create_group(f"continuous/{k:06d}"), **segment)
    return Path(path)


def _write_sweep(
    group, k, stimulus=None, response=None, command=True, gaps=(), complete=True, rate=RATE, start=None, features=None,
    others=(),
):  # fmt: skip
    stimulus = stimulus or step(50.0, onset=100.0, duration=300.0, tail=200.0)
    wanted = stimulus.command(rate)
    response = np.random.default_rng(k).normal(-70, 1, wanted.size) if response is None else response
    start = datetime(2024, 1, 1, 12, 0, 2 * k, tzinfo=UTC).isoformat() if start is None else start
    group.attrs.update({"rate": rate * 1e3, "start": start, "complete": complete})
    group.attrs["stimulus"] = json.dumps(asdict(stimulus))
    origin = Provenance(None, "recorded channel", "measured", Junction("uncorrected", 14.0), 0.002)
    group.attrs["provenance"] = json.dumps(asdict(origin) | {"start": start})
    traces = {"response": response} | ({"command": wanted[: response.size]} if command else {})
    for name, values in traces.items():
        _write_trace(group, name, values, gaps, *_SI[stimulus.clamp][name])
    for name, described in dict(others).items():
        _write_trace(group, name, *described[:1], gaps, *described[1:])
    group["gaps"] = np.array(gaps, dtype="i8").reshape(-1, 2)
    if complete:
        for name, value in (features or {"rest": -70.0 - k, "threshold": np.nan}).items():
            group[f"features/{name}"] = value
        summary = {
            "trial": k,
            "posterior": {"C": _MARGINAL},
            "sweeps_used": k + 1,
            "trust": {"in_distribution": True, "score": 0.5, "reason": None},
            "latency_ms": {"features": 1.0, "posterior": 2.0, "total": 3.0},
            "next_stimulus": {"step_pA": 70.0},
        }
        group["summary"] = json.dumps(summary)


def _write_segment(group, channels, rate=RATE, start="", complete=True, gaps=()):
    group.attrs.update({"rate": rate * 1e3, "start": start, "complete": complete})
    for name, (values, unit, conversion) in channels.items():
        _write_trace(group, name, values, gaps, unit, conversion)
        group[name].attrs.update({"gain": 10.0, "gain_source": "set by hand"})
    group["gaps"] = np.array(gaps, dtype="i8").reshape(-1, 2)


def _write_trace(group, name, values, gaps, unit, conversion):
    """Packed as the recorder does; a lost stretch is never written, and reads as NaN."""
    packed = {"chunks": (500,), "shuffle": True, "compression": "gzip", "compression_opts": 1, "fillvalue": np.nan}
    dataset = group.create_dataset(name, shape=values.shape, maxshape=(None,), dtype="f8", **packed)
    position = 0
    for first, count in [*gaps, (values.size, 0)]:
        if first > position:
            dataset[position:first] = values[position:first]
        position = first + count
    dataset.attrs.update({"unit": unit, "conversion": conversion})
