"""A command that is kept in a second file is looked for beside the recording and nowhere else."""

from types import SimpleNamespace

import numpy as np
import pytest

from hardware.abf_stimulus import stays_beside
from hardware.reading import read


def abf2(named, source=2):
    """What the library read of a recording with two outputs, the first commanded from a file."""
    dac = SimpleNamespace(nWaveformEnable=[1, 1], nWaveformSource=[source, source], lDACFilePathIndex=[1, 1])
    return SimpleNamespace(
        abfVersion={"major": 2}, _dacSection=dac, _stringsSection=SimpleNamespace(_indexedStrings=["", named])
    )


@pytest.mark.parametrize("folder", ["C:\\rig\\", "\\\\elsewhere\\share\\", "/etc/", ""])
def test_the_path_in_the_header_is_bent_to_the_recordings_folder(tmp_path, folder):
    (tmp_path / "stimulus.atf").write_text("")
    abf = abf2(f"{folder}stimulus.atf")
    assert stays_beside(tmp_path / "cell.abf", abf, 0)
    assert abf._stringsSection._indexedStrings[1] == str(tmp_path / "stimulus.atf")


@pytest.mark.parametrize("named", ["/etc/passwd", "", "..", "C:\\", "absent.atf"])
def test_a_command_that_is_not_there_is_not_looked_for(tmp_path, named):
    assert not stays_beside(tmp_path / "cell.abf", abf2(named), 0)


def test_the_file_of_one_output_is_not_taken_for_that_of_another(tmp_path):
    (tmp_path / "stimulus.atf").write_text("")
    assert not stays_beside(tmp_path / "cell.abf", abf2("stimulus.atf"), 1)


def test_a_command_of_the_header_needs_no_file(tmp_path):
    assert stays_beside(tmp_path / "cell.abf", abf2("absent.atf", source=1), 1)


def doctored(data, tmp_path, section, offset, value):
    """Write a 16-bit number into the first row of a section of a real ABF2."""
    whole = bytearray((data / "18713001.abf").read_bytes())
    at = 512 * int.from_bytes(whole[76 + 16 * section : 80 + 16 * section], "little") + offset
    before = int.from_bytes(whole[at : at + 2], "little")
    whole[at : at + 2] = value.to_bytes(2, "little")
    (tmp_path / "doctored.abf").write_bytes(whole)
    return before, tmp_path / "doctored.abf"


def test_a_command_in_a_file_that_is_not_there_is_unknown(data, tmp_path):
    before, path = doctored(data, tmp_path, 2, 42, 2)
    assert before == 1
    assert {s.command_source for s in read(path).sweeps} == {"unknown"}
    assert np.median(read(path).sweeps[0].response) < -50
