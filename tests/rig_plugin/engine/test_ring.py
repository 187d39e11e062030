"""What is read off a ring is what was written, or nothing."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig_plugin.engine.ring import Ring


def make(size=16):
    memory = memoryview(bytearray(Ring.bytes_of(size)))
    return Ring(memory, size), Ring(memory, size)


@given(st.lists(st.integers(0, 16), max_size=40), st.integers(0, 300), st.integers(0, 20))
def test_what_is_still_there_reads_as_it_was_written_and_nothing_else_reads(sizes, place, count):
    writer, reader = make()
    stream = np.arange(float(sum(sizes)))
    at = 0
    for size in sizes:
        assert writer.append(stream[at : at + size]) == at
        at += size
    assert reader.written == at
    read = reader.read(place, count)
    if at - 16 <= place and place + count <= at:
        np.testing.assert_array_equal(read, stream[place : place + count])
    else:
        assert read is None


def test_more_than_it_keeps_is_refused_and_changes_nothing():
    writer, reader = make()
    writer.append(np.ones(3))
    with pytest.raises(ValueError, match="17 numbers were given to a ring that keeps 16"):
        writer.append(np.zeros(17))
    assert reader.written == 3


def test_numbers_that_are_being_written_over_are_not_there_any_more():
    writer, reader = make()
    writer.append(np.arange(16.0))
    # A writer that stopped after it said how far it was going to write.
    writer._counters[0] = 20
    assert reader.read(3, 4) is None
    np.testing.assert_array_equal(reader.read(4, 4), [4.0, 5.0, 6.0, 7.0])


def test_what_was_read_does_not_change_with_what_is_written_after():
    writer, reader = make()
    writer.append(np.arange(16.0))
    read = reader.read(0, 16)
    writer.append(np.full(16, -1.0))
    np.testing.assert_array_equal(read, np.arange(16.0))


def test_a_reader_in_another_thread_never_sees_what_was_not_written_there():
    writer, reader = make(1024)
    over = threading.Event()

    def write():
        at = 0
        while not over.is_set():
            writer.append(np.arange(float(at), at + 100.0))
            at += 100

    thread = threading.Thread(target=write)
    thread.start()
    read = 0
    try:
        while read < 300:
            place = max(0, reader.written - 512)
            numbers = reader.read(place, 256)
            if numbers is not None and numbers.size:
                np.testing.assert_array_equal(numbers, np.arange(place, place + 256.0))
                read += 1
    finally:
        over.set()
        thread.join()
