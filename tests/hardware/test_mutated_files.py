"""Whatever is in a file, only a recording or a refusal comes out of it."""

import json
import re

import h5py
import numpy as np
import pytest

from hardware.choice import Choice
from hardware.formats import reader_of
from hardware.inspection import describe
from hardware.reading_room import ReadingRoom
from hardware.recording import RecordingError

ROOM = ReadingRoom(is_forgiving=True)

FILES = {
    "ABF1": "190619B_0003.abf",
    "ABF2": "18713001.abf",
    "NWB": "LantyerEtAl2018_180817_ME_9_CC.nwb",
    "Allen": "allen_526950199_sweep37.nwb",
    "own": None,
}
# Where the structures of HDF5 lie: the samples between them are only numbers.
STRUCTURES = re.compile(rb"\x89HDF|TREE|HEAP|SNOD|GCOL|OHDR|OCHK|FRHP|FHDB|FADB|FAHD|BTHD|BTLF")
HUGE = [2**63 - 1, 2**62, 2**40, 2**32, 2**32 - 1, 2**31 - 1, 2**31, 65535, 0]


def own_recording(path):
    """Two sweeps as the recorder leaves them."""
    rng = np.random.default_rng(1)
    epochs = [{"level": level, "duration": ms} for level, ms in ((0.0, 100.0), (50.0, 300.0), (0.0, 100.0))]
    origin = {"start": "2024-01-01T12:00:00+00:00", "command_source": "header", "holding_source": "header"}
    with h5py.File(path, "x") as file:
        file.attrs.update({"format": "rig-plugin recording", "version": 1})
        file["metadata"] = "{}"
        for k in range(2):
            sweep = file.create_group(f"sweeps/{k:06d}")
            sweep.attrs.update({"rate": 10e3, "start": origin["start"], "complete": True})
            sweep.attrs["stimulus"] = json.dumps({"clamp": "current", "epochs": epochs, "observed": 1})
            junction = {"state": "unknown", "potential": None}
            sweep.attrs["provenance"] = json.dumps(origin | {"junction": junction, "bridge": 0.0})
            sweep.create_dataset("response", data=rng.normal(-70, 1, 5000), chunks=(1024,), compression="gzip")
            sweep.create_dataset("command", data=np.repeat([0.0, 50.0, 0.0], [1000, 3000, 1000]), chunks=(1024,))


def spot(whole, rng):
    """Choose a place, mostly where sizes, names and addresses are."""
    places = [m.start() for m in STRUCTURES.finditer(whole)]
    if rng.random() < 0.15:
        return int(rng.integers(len(whole)))
    if places:
        return min(int(rng.choice(places)) + int(rng.integers(400)), len(whole) - 1)
    return int(rng.integers(4, 8000))


def mutated(whole, rng):
    """Overwrite, flip, cut, insert, swap or blow up, once to four times."""
    made = bytearray(whole)
    for _ in range(int(rng.integers(1, 5))):
        at, length = spot(bytes(made), rng), int(rng.integers(1, 64))
        kind = rng.integers(12)
        if kind <= 2:
            made[at : at + 1] = rng.bytes(1)
        elif kind <= 4:
            made[at : at + 1] = bytes(b ^ 1 << int(rng.integers(8)) for b in made[at : at + 1])
        elif kind <= 7:
            width = int(rng.choice([2, 4, 8]))
            at -= at % 2
            made[at : at + width] = (int(rng.choice(HUGE)) % 2 ** (8 * width)).to_bytes(width, "little")
        elif kind == 8:
            made[at : at + length] = rng.bytes(length)
        elif kind == 9:
            made[at:at] = rng.bytes(length)
        elif kind == 10:
            other = spot(bytes(made), rng)
            made[at : at + length], made[other : other + length] = (
                made[other : other + length],
                made[at : at + length],
            )
        else:
            del made[at : at + (length if rng.random() < 0.5 else len(made))]
        if len(made) < 16:
            return whole[:16]
    return bytes(made[: 2 * len(whole)])


def used(path):
    """Do with a file all that a command does before a network sees it."""
    reader_of(path)
    described = describe(ROOM.read(path, Choice()), lambda sweep, history: sweep.response.size)
    json.dumps(described, allow_nan=False)


def whole_file(data, tmp_path, kind):
    if FILES[kind] is not None:
        return (data / FILES[kind]).read_bytes()
    own_recording(tmp_path / "own.h5")
    return (tmp_path / "own.h5").read_bytes()


def refused_of(data, tmp_path, kind, seed, count):
    """Mutate a file again and again; give how many were refused, each in one line."""
    whole = whole_file(data, tmp_path, kind)
    rng = np.random.default_rng(seed)
    path, refused = tmp_path / "mutated", 0
    for _ in range(count):
        made = mutated(whole, rng)
        path.write_bytes(made)
        try:
            used(path)
        except RecordingError as error:
            refused += 1
            assert str(error).isprintable() and len(str(error)) <= 1000
        assert path.read_bytes() == made
        assert sorted(p.name for p in tmp_path.iterdir()) == sorted({"mutated", *(["own.h5"] if kind == "own" else [])})
    return refused


@pytest.mark.parametrize("kind", FILES)
def test_a_mutated_file_is_read_or_refused_and_never_written(data, tmp_path, kind):
    assert 0 < refused_of(data, tmp_path, kind, 1, 25) < 25


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
@pytest.mark.parametrize("kind", FILES)
def test_thousands_of_mutated_files_are_read_or_refused(data, tmp_path, kind, seed):
    assert 0 < refused_of(data, tmp_path, kind, seed, 100) < 100
