"""A recording is cut off between any two of its writes, and within them: all that was said to be safe is there."""

import os

import numpy as np
import pytest

from hardware import medium
from hardware.hdf5 import open_hdf5
from hardware.journal import unpack
from hardware.recorder import Recorder
from hardware.rig import Block, Provenance
from hardware.track import Track
from simulators.stimulus import step

BLOCKS, EACH, LOST = 18, 6, 5
MODES = {"sweeps": ("response", "command"), "continuous": ("a", "b", "c")}


@pytest.fixture
def moments(tmp_path, monkeypatch):
    """Keep the file as a kill would leave it at each moment, with the number of blocks that were safe by then."""
    kept, path = [], tmp_path / "session.h5"
    write, cut = os.write, os.ftruncate
    kept.append(0)

    def keep():
        kept.append((kept[0], path.read_bytes()))

    def in_two(descriptor, data):
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        write(descriptor, data[: len(data) // 2])
        keep()
        os.lseek(descriptor, place, os.SEEK_SET)
        written = write(descriptor, data)
        keep()
        return written

    def then_keep(descriptor, size):
        cut(descriptor, size)
        keep()

    monkeypatch.setattr(medium.os, "write", in_two)
    monkeypatch.setattr(medium.os, "ftruncate", then_keep)
    return kept


def pieces(names, size):
    """Make the blocks, shape (blocks, traces, size)."""
    return np.random.default_rng(1).normal(-70, 1, (BLOCKS, len(names), size))


def record(path, mode, blocks, moments):
    names = MODES[mode]
    with Recorder(path, {}) as recorder:
        moments[1:] = []
        if mode == "continuous":
            recorder.start_continuous(50.0, dict.fromkeys(names, Track()))
        for k, block in enumerate(blocks):
            lost = LOST if k % 7 == 3 else 0
            if mode == "continuous":
                recorder.append_continuous(dict(zip(names, block, strict=True)), lost)
            else:
                if k % EACH == 0:
                    recorder.start(step(50.0), 50.0, Provenance())
                recorder.append(Block(*block, lost))
                if k % EACH == EACH - 1:
                    recorder.finish({"rest": float(k), "sag": 2.0}, {"trial": k})
            recorder.mark(f"block {k}")
            assert recorder.flush(60)
            assert unpack(path) == ()
            moments[0] = k + 1


def whole_blocks(group, names, blocks, first):
    """Compare a stretch with what was put in; give how many blocks of it are there."""
    stored = {name: group[name][()] for name in names if name in group}
    count = min((trace.size for trace in stored.values()), default=0) if len(stored) == len(names) else 0
    place = whole = 0
    for k, block in enumerate(blocks, first):
        lost = LOST if k % 7 == 3 else 0
        stop = place + lost + block.shape[1]
        if stop > count:
            break
        for name, samples in zip(names, block, strict=True):
            assert np.isnan(stored[name][place : place + lost]).all()
            np.testing.assert_array_equal(stored[name][place + lost : stop], samples)
        place, whole = stop, whole + 1
    assert place == count
    return whole


@pytest.mark.parametrize(
    ("mode", "size"),
    [
        ("sweeps", 37),
        pytest.param("continuous", 3000, marks=pytest.mark.long),
        pytest.param("sweeps", 3000, marks=pytest.mark.long),
        pytest.param("continuous", 37, marks=pytest.mark.long),
    ],
)
def test_at_every_moment_the_file_is_whole(tmp_path, moments, mode, size):
    blocks = pieces(MODES[mode], size)
    record(tmp_path / "session.h5", mode, blocks, moments)
    assert len(moments) > 10 * BLOCKS
    left = tmp_path / "left.h5"
    for promised, content in moments[1:]:
        left.write_bytes(content)
        with open_hdf5(left) as file:
            groups = [file[mode][name] for name in sorted(file[mode])]
            each = EACH if mode == "sweeps" else BLOCKS
            there = sum(
                whole_blocks(group, MODES[mode], blocks[each * k : each * (k + 1)], each * k)
                for k, group in enumerate(groups)
            )
            assert there >= promised
            texts = [row["text"] for row in file["marks"][()]]
            assert texts == [b"block %d" % k for k in range(len(texts))]
            assert len(texts) >= promised
            for group in groups:
                if group.attrs["complete"]:
                    assert mode == "continuous" or group["features/sag"][()] == 2.0
