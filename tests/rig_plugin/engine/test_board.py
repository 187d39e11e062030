"""What is read off the board was written there as a whole."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig_plugin.engine.board import BYTES, Board


def make():
    memory = memoryview(bytearray(BYTES))
    return Board(memory), Board(memory)


@given(st.lists(st.text(max_size=1000), min_size=1, max_size=5))
def test_the_newest_text_is_read(texts):
    writer, reader = make()
    assert reader.read() is None
    for text in texts:
        writer.write(text)
    assert reader.read() == texts[-1]


def test_a_text_that_does_not_fit_is_refused_and_the_old_one_stays():
    writer, reader = make()
    writer.write("x" * 4072)
    with pytest.raises(ValueError, match="A text of 4073 bytes"):
        writer.write("y" * 4073)
    assert reader.read() == "x" * 4072


def test_a_writer_that_died_over_a_text_leaves_none():
    writer, reader = make()
    writer.write("whole")
    writer._head[0] += 1
    assert reader.read() is None


def test_a_heartbeat_is_counted():
    writer, reader = make()
    writer.beat()
    writer.beat()
    assert reader.beats == 2


def test_a_reader_in_another_thread_never_sees_two_texts_mixed():
    writer, reader = make()
    over = threading.Event()

    def write():
        k = 0
        while not over.wait(1e-5):
            writer.write("abc"[k % 3] * 3000)
            k += 1

    thread = threading.Thread(target=write)
    thread.start()
    read = 0
    try:
        while read < 1000:
            text = reader.read()
            if text:
                assert len(set(text)) == 1
                assert len(text) == 3000
                read += 1
    finally:
        over.set()
        thread.join()
