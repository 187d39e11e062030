"""What is no recording, a forged one, or a place that can't be written to is refused in one sentence."""

import warnings

import h5py
import numpy as np
import pytest

from hardware.recording import RecordingError
from simulators.refusal import Refusal

with warnings.catch_warnings():
    # HDMF resets the filters when it is imported.
    warnings.simplefilter("ignore")
    from hardware.export.nwb import export, recover
    from hardware.export.partial import ExportError

RAMP = -70.0 - 0.001 * np.arange(6000)


def edited(make_session, tmp_path, edit, sweeps=3):
    path = make_session(tmp_path / "a.h5", [{"response": RAMP}] * sweeps)
    with h5py.File(path, "a") as file:
        edit(file)
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b""), "is no HDF5 file"),
        (lambda path: path.write_text("a letter"), "is no HDF5 file"),
        (lambda path: h5py.File(path, "w").close(), "no recording of this program"),
    ],
)
@pytest.mark.parametrize("write", [export, recover])
def test_what_is_no_recording_is_refused_in_one_sentence(tmp_path, make, said, write):
    make(tmp_path / "a.h5")
    with pytest.raises(RecordingError, match=said) as caught:
        write(tmp_path / "a.h5", tmp_path / "a.nwb")
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


def stranger(tmp_path):
    """A file beside the recording, with something that is nobody's business."""
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = np.full(6000, -70.0)
        file["secret"].attrs.update({"unit": "volts", "conversion": 1e-3})
    (tmp_path / "raw").write_bytes(np.full(6000, -70.0).tobytes())


def replaced(file, make):
    group = file["sweeps/000000"]
    attributes = dict(group["response"].attrs)
    del group["response"]
    make(group)
    if isinstance(group.get("response", getlink=True), h5py.HardLink):
        group["response"].attrs.update(attributes)


def virtual(group):
    layout = h5py.VirtualLayout(shape=(6000,), dtype="f8")
    layout[:] = h5py.VirtualSource("other.h5", "secret", shape=(6000,))
    group.create_virtual_dataset("response", layout)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda g: g.__setitem__("response", h5py.SoftLink("/sweeps/000001/response")), "a link"),
        (lambda g: g.create_dataset("response", (6000,), "f8", external=[("raw", 0, 48000)]), "from another file"),
        (virtual, "from another file"),
        (lambda g: g.create_dataset("response", (2**40,), "f8", chunks=(500,), fillvalue=0), None),
        (lambda g: g.create_dataset("response", (2**40,), "f8"), "more than it can hold"),
        (lambda g: g.create_dataset("response", (60, 100), "f8", data=np.zeros((60, 100))), "no trace"),
        (lambda g: g.create_dataset("response", data=np.array([b"a"] * 9)), "no trace"),
        (lambda g: g.create_group("response"), "damaged"),
    ],
)
def test_a_forged_trace_reads_no_other_file_and_takes_no_room(make_session, tmp_path, make, said):
    stranger(tmp_path)
    path = edited(make_session, tmp_path, lambda file: replaced(file, make), sweeps=2)
    if said is not None:
        with pytest.raises(RecordingError, match=said):
            export(path, tmp_path / "a.nwb")
    found = recover(path, tmp_path / "b.nwb")
    assert found["sweeps"] == 1
    assert found["lost"][0]["where"] == "sweep 0"
    assert (tmp_path / "b.nwb").stat().st_size < 2_000_000


@pytest.mark.parametrize("write", [export, recover])
def test_a_recording_that_points_to_another_file_is_refused_altogether(make_session, tmp_path, write):
    stranger(tmp_path)
    link = h5py.ExternalLink("other.h5", "secret")
    path = edited(make_session, tmp_path, lambda file: replaced(file, lambda g: g.__setitem__("response", link)))
    with pytest.raises(RecordingError, match="points to another file at 'sweeps/000000/response'"):
        write(path, tmp_path / "a.nwb")
    assert not (tmp_path / "a.nwb").exists()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda f: f.attrs.modify("version", 99), "version 99"),
        (lambda f: f.attrs.pop("version"), "damaged recording"),
        (lambda f: f.pop("sweeps"), "damaged recording"),
        (lambda f: f.pop("metadata"), "damaged recording"),
        (lambda f: [f["sweeps"].pop(k) for k in list(f["sweeps"])], "nothing was recorded"),
        (lambda f: [f[f"sweeps/{k}"].pop("response") for k in list(f["sweeps"])], "none of its samples"),
    ],
)
def test_a_recording_that_can_not_be_used_is_refused_in_one_sentence(make_session, tmp_path, edit, said):
    path = edited(make_session, tmp_path, edit)
    with pytest.raises(RecordingError, match=said) as caught:
        export(path, tmp_path / "a.nwb")
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


@pytest.mark.parametrize("fraction", [0.05, 0.5, 0.95])
def test_a_recording_cut_anywhere_is_refused_in_one_sentence(make_session, tmp_path, fraction):
    path = make_session(tmp_path / "a.h5", [{}, {}])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(fraction * len(whole))])
    with pytest.raises(Refusal) as caught:
        export(path, tmp_path / "a.nwb")
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_refused(make_session, tmp_path):
    with pytest.raises(ExportError, match="can't be written to"):
        export(make_session(tmp_path / "a.h5", [{}]), tmp_path / "no" / "a.nwb")
