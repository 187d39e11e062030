"""Files and rigs made for the tests of this package."""

import warnings
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from hardware.recording import RecordedSweep, Recording

RATE = 10.0
AMPLITUDES = (-50.0, 0.0, 50.0, 100.0)


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
            holding_source="header" if source == "header" else "measured",
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
