import subprocess
import sys
import threading

import numpy as np
import pytest

from rig_plugin.feed import Ended, Feed, Finished, Started
from simulators.stimulus import step


def test_blocks_add_up_to_the_sweep(scripted):
    feed = Feed()
    sweep = scripted.play(feed, 3)
    assert feed.live is not None
    np.testing.assert_array_equal(feed.live.response, sweep.response)
    np.testing.assert_array_equal(feed.live.command, sweep.command)


def test_a_command_that_is_not_measured_is_missing_and_not_zero():
    feed = Feed()
    feed.started(step(10.0), 20.0, None)
    feed.block(np.zeros(400), None)
    assert feed.live is not None
    assert np.isnan(feed.live.command).all()


def test_what_was_read_can_not_be_written_to(scripted):
    feed = Feed()
    scripted.play(feed, 0)
    assert feed.live is not None
    with pytest.raises(ValueError, match="read-only"):
        feed.live.response[0] = 1.0


def test_a_block_is_copied(scripted):
    feed = Feed()
    feed.started(step(10.0), 20.0, None)
    block = np.ones(400)
    feed.block(block, None)
    block[:] = 2.0
    assert feed.live is not None
    assert (feed.live.response == 1.0).all()


def test_samples_past_the_stimulus_are_counted():
    feed = Feed()
    feed.started(step(10.0, onset=10.0, duration=10.0, tail=10.0), 20.0, None)
    for _ in range(2):
        feed.block(np.zeros(400), None)
    assert feed.live is not None
    assert feed.live.count + feed.live.unshown == 800
    assert feed.live.unshown > 0


def test_a_block_before_any_sweep_is_refused():
    with pytest.raises(ValueError, match="before any sweep"):
        Feed().block(np.zeros(4), None)


def test_a_command_of_another_length_is_refused():
    feed = Feed()
    feed.started(step(10.0), 20.0, None)
    with pytest.raises(ValueError, match=r"\(4,\) and \(3,\)"):
        feed.block(np.zeros(4), np.zeros(3))


def test_a_feed_that_keeps_nothing_is_refused():
    with pytest.raises(ValueError, match="0 messages"):
        Feed(messages=0)


def test_messages_come_in_order(scripted):
    feed = Feed()
    scripted.play(feed, 0)
    trial = scripted.trial(0)
    feed.finished(trial)
    feed.ended("The rig was unplugged.")
    started, finished, ended = feed.take()
    assert isinstance(started, Started) and started.live is feed.live
    assert isinstance(finished, Finished) and finished.trial is trial
    assert ended == Ended("The rig was unplugged.")
    assert feed.take() == ()


def test_the_oldest_messages_fall_out_and_are_counted_exactly():
    feed = Feed(messages=3)
    for number in range(8):
        feed.ended(str(number))
    assert feed.take() == (Ended("5"), Ended("6"), Ended("7"))
    assert feed.dropped == 5
    feed.ended("8")
    feed.take()
    assert feed.dropped == 5


def test_a_reader_in_another_thread_never_sees_a_sample_that_was_not_written():
    """The writer puts each sample's own index: whatever prefix the reader sees must count up from zero."""
    feed = Feed()
    feed.started(step(10.0, onset=1000.0, duration=3000.0, tail=1000.0), 20.0, None)
    live = feed.live
    assert live is not None
    done = threading.Event()

    def write() -> None:
        for first in range(0, 100_000, 100):
            feed.block(np.arange(first, first + 100, dtype=float), None)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    ends = []
    while not done.is_set():
        seen = live.response
        ends.append((seen.size, float(seen[-1]) if seen.size else -1.0))
    writer.join()
    assert live.response.size == 100_000
    assert all(last == size - 1 for size, last in ends)


def test_only_the_newest_status_counts(scripted):
    feed = Feed()
    feed.status(scripted.status(400))
    feed.status(scripted.status(800))
    assert feed.recording == scripted.status(800)


def test_the_feed_and_the_display_check_load_no_qt():
    program = (
        "import sys, rig_plugin.feed, rig_plugin.display\n"
        "found = [m for m in sys.modules if m.split('.')[0] in ('PyQt5', 'PyQt6', 'PySide6', 'pyqtgraph')]\n"
        "sys.exit(', '.join(found) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_further_channels_are_kept_with_their_units_and_are_missing_where_they_did_not_come():
    feed = Feed()
    feed.started(step(10.0), 20.0, None, {"bath": "degC"})
    feed.block(np.zeros(4), None)
    feed.block(np.zeros(3), None, {"bath": np.arange(3.0), "unnamed": np.ones(3)})
    assert feed.live is not None
    assert dict(feed.live.units) == {"bath": "degC"}
    assert list(feed.live.others) == ["bath"]
    np.testing.assert_array_equal(feed.live.others["bath"], [np.nan] * 4 + [0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match=r"\(4,\) and None and \(3,\)"):
        feed.block(np.zeros(4), None, {"bath": np.zeros(3)})
