"""Whatever is put into a recorder, in whatever pieces, comes out of the file bit by bit."""

import tempfile
from pathlib import Path

import h5py
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.recorder import Recorder
from hardware.rig import Block, Provenance
from hardware.track import Track
from simulators.stimulus import step

# Of each piece: samples, samples lost before them, whether all is flushed after it.
PIECES = st.lists(
    st.tuples(st.integers(0, 9000), st.sampled_from([0, 0, 0, 1, 50, 10_000]), st.booleans()), max_size=12
)
RATES = st.sampled_from([1.0, 10.0, 20.0, 33.333, 50.0, 250.0])


def noise(seed, channel, size):
    """Numbers with all the bits that a double can have, infinities and negative zero among them."""
    bits = np.random.default_rng([seed, channel]).integers(0, 2**64, size, dtype=np.uint64)
    values = bits.view(np.float64)
    values[np.isnan(values)] = -0.0
    return values


def laid_out(trace, pieces):
    """Put NaN where samples were lost, and say where that is."""
    parts, gaps, place, taken = [np.empty(0)], [], 0, 0
    for size, lost, _ in pieces:
        if lost and gaps and sum(gaps[-1]) == place:
            gaps[-1][1] += lost
        elif lost:
            gaps.append([place, lost])
        parts += [np.full(lost, np.nan), trace[taken : taken + size]]
        place, taken = place + lost + size, taken + size
    return np.concatenate(parts), gaps


def assert_same_bits(stored, wanted):
    assert stored.shape == wanted.shape
    np.testing.assert_array_equal(np.isnan(stored), np.isnan(wanted))
    known = ~np.isnan(wanted)
    np.testing.assert_array_equal(stored[known].view(np.uint64), wanted[known].view(np.uint64))


@settings(max_examples=40, deadline=None)
@given(sweeps=st.lists(PIECES, min_size=1, max_size=3), rate=RATES, with_command=st.booleans(), seed=st.integers(0, 99))
def test_sweeps_of_any_blocks_round_trip(sweeps, rate, with_command, seed):
    names = ("response", "command") if with_command else ("response",)
    stimulus = step(50.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "session.h5"
        with Recorder(path, {}) as recorder:
            for k, pieces in enumerate(sweeps):
                traces = {name: noise(seed + k, c, sum(size for size, *_ in pieces)) for c, name in enumerate(names)}
                recorder.start(stimulus, rate, Provenance())
                taken = 0
                for size, lost, flushed in pieces:
                    recorder.append(Block(**{n: t[taken : taken + size] for n, t in traces.items()}, lost=lost))
                    taken += size
                    if flushed:
                        assert recorder.flush(60)
                        assert recorder.on_disk == recorder.received
                recorder.finish({}, {"trial": k})
        with h5py.File(path) as file:
            assert len(file["sweeps"]) == len(sweeps)
            for k, pieces in enumerate(sweeps):
                group = file[f"sweeps/{k:06d}"]
                assert (group.attrs["rate"], group.attrs["complete"]) == (rate * 1e3, True)
                for c, name in enumerate(names):
                    wanted, gaps = laid_out(noise(seed + k, c, sum(size for size, *_ in pieces)), pieces)
                    assert group["gaps"][()].tolist() == gaps
                    if any(size for size, *_ in pieces):
                        assert_same_bits(group[name][()], wanted)


@settings(max_examples=30, deadline=None)
@given(pieces=PIECES, channels=st.integers(1, 6), rate=RATES, seed=st.integers(0, 99), finished=st.booleans())
def test_continuous_recordings_of_any_channels_round_trip(pieces, channels, rate, seed, finished):
    total = sum(size for size, *_ in pieces)
    traces = {f"AI{c}": noise(seed, c, total) for c in range(channels)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "session.h5"
        with Recorder(path, {}) as recorder:
            recorder.start_continuous(rate, {name: Track() for name in traces})
            taken = 0
            for size, lost, flushed in [*pieces, (0, 0, False)]:
                recorder.append_continuous({n: t[taken : taken + size] for n, t in traces.items()}, lost)
                taken += size
                if flushed:
                    assert recorder.flush(60)
            if finished:
                recorder.finish_continuous()
        with h5py.File(path) as file:
            group = file["continuous/000000"]
            assert bool(group.attrs["complete"]) == finished
            for name, trace in traces.items():
                wanted, gaps = laid_out(trace, pieces)
                # What was lost after the last sample is known only to a recording that was finished.
                if gaps and sum(gaps[-1]) == wanted.size and not finished:
                    wanted, gaps = wanted[: gaps[-1][0]], gaps[:-1]
                assert group["gaps"][()].tolist() == gaps
                assert_same_bits(group[name][()], wanted)
