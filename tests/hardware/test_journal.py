"""Changes written down are changes made, whatever stands in the file."""

import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hardware.journal import Journalled, lay, pack, unpack

CHANGES = st.lists(st.tuples(st.integers(0, 90), st.binary(max_size=10)), max_size=8)


def made(content, changes):
    content = bytearray(content)
    for place, data in changes:
        content[place : place + len(data)] = data
    return bytes(content)


@given(changes=CHANGES, cuts=st.lists(st.integers(0, 100), max_size=5))
def test_a_file_with_a_journal_reads_as_if_its_changes_were_made(changes, cuts):
    content = bytes(range(100))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content + pack(changes))
        assert list(unpack(path)) == changes
        with Journalled(path, unpack(path)) as file:
            wanted = made(content, changes)
            for cut in cuts:
                file.seek(cut)
                assert file.read(7)[: max(0, 100 - cut)] == wanted[cut : cut + 7]
            file.seek(0)
            assert file.read(100) == wanted
        assert path.read_bytes() == content + pack(changes)


@given(changes=CHANGES.filter(bool), kept=st.integers(0, 10_000))
def test_a_journal_that_is_not_whole_is_none(changes, kept):
    journal = pack(changes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(bytes(100) + journal[: kept % len(journal)])
        assert unpack(path) == ()


@given(changes=CHANGES.filter(bool), where=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_journal_with_a_flipped_bit_is_none(changes, where, bit):
    journal = bytearray(pack(changes))
    journal[where % len(journal)] ^= 1 << bit
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(bytes(100) + journal)
        assert unpack(path) == ()


def test_a_forged_journal_is_neither_believed_nor_made_room_for(tmp_path):
    path = tmp_path / "file"
    for body in (
        struct.pack("<QQ", 0, 2**60) + b"ab",
        struct.pack("<QQ", 2**63, 2) + b"ab",
        b"short",
    ):
        path.write_bytes(bytes(100) + body + struct.pack("<QI8s", len(body), zlib.crc32(body), b"rigplugj"))
        assert unpack(path) == ()
    path.write_bytes(struct.pack("<QI8s", 2**62, 0, b"rigplugj"))
    assert unpack(path) == ()


def test_what_lies_outside_a_stretch_is_left_out():
    stretch = bytearray(10)
    lay([(95, b"abcdefgh"), (108, b"xyz"), (0, b"far"), (200, b"far")], stretch, 100)
    np.testing.assert_array_equal(np.frombuffer(bytes(stretch), "S1"), np.frombuffer(b"fgh\0\0\0\0\0xy", "S1"))
