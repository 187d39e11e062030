"""What is offered of a recording that is over is one press away, blocks nothing, and says what came of it."""

import threading
from pathlib import Path

import pytest

from rig_plugin.widgets.offer import Offer
from simulators.refusal import Refusal

FOUND = {"sweeps": 3, "segments": 0, "marks": 1, "lost_samples": 0, "lost": []}


class Writing:
    """A writer that notes what it was asked, and waits until it may go on."""

    def __init__(self, answer=FOUND):
        self.asked, self.answer, self.may = [], answer, threading.Event()

    def __call__(self, kind, session, out):
        self.asked.append((kind, session.name, out.name))
        self.may.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def offered(qtbot, tmp_path):
    def make(answer=FOUND, is_whole=True, names=()):
        for name in names:
            (tmp_path / name).touch()
        writing = Writing(answer)
        offer = Offer(writing)
        qtbot.addWidget(offer)
        offer.propose(tmp_path / "cell.h5", is_whole=is_whole)
        return offer, writing

    return make


@pytest.mark.parametrize(("is_whole", "kind", "said"), [(True, "export", "closed"), (False, "recover", "recovered")])
def test_one_press_writes_beside_the_recording_and_says_what_came_of_it(qtbot, offered, is_whole, kind, said):
    offer, writing = offered(is_whole=is_whole)
    assert said in offer.words()
    offer.accept.click()
    assert offer.words() == "writing cell.nwb beside cell.h5 …"
    writing.may.set()
    qtbot.waitUntil(lambda: "holds" in offer.words())
    assert offer.words() == "cell.nwb holds 3 sweeps, 1 mark."
    assert writing.asked == [(kind, "cell.h5", "cell.nwb")]


def test_a_file_that_is_there_is_not_written_over(qtbot, offered):
    offer, writing = offered(names=["cell.nwb", "cell-2.nwb"])
    writing.may.set()
    offer.take_up()
    qtbot.waitUntil(lambda: "cell-3.nwb holds" in offer.words())


def test_pressing_twice_or_another_session_s_end_starts_no_second_writer(qtbot, offered):
    offer, writing = offered()
    offer.take_up()
    offer.take_up()
    offer.propose(Path("other.h5"), is_whole=True)
    offer.withdraw()
    assert offer.words() == "writing cell.nwb beside cell.h5 …"
    writing.may.set()
    qtbot.waitUntil(lambda: "holds" in offer.words())
    assert len(writing.asked) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Refusal("cell.h5 is damaged: recover it."), "▲ cell.h5 is damaged: recover it."),
        (RuntimeError("MemoryError: "), "▲ cell.nwb could not be written (MemoryError: ). cell.h5 is as it was."),
    ],
)
def test_what_goes_wrong_is_a_sentence(qtbot, offered, error, said):
    offer, writing = offered(error)
    writing.may.set()
    offer.take_up()
    qtbot.waitUntil(lambda: offer.words() == said)
    offer.decline.click()
    assert offer.words() == ""


def test_what_is_missing_is_told_with_the_first_place(qtbot, offered):
    lost = [{"where": "sweep 2", "first_sample": 10, "samples": 20, "reason": "The rig was too slow."}]
    offer, writing = offered(FOUND | {"segments": 1, "lost_samples": 20, "lost": lost}, is_whole=False)
    writing.may.set()
    offer.take_up()
    qtbot.waitUntil(lambda: "missing" in offer.words())
    assert offer.words() == (
        "cell.nwb holds 3 sweeps, 1 gap-free stretch, 1 mark; 20 samples are missing, "
        "first in sweep 2: The rig was too slow."
    )


def test_what_was_declined_or_never_offered_is_not_written(offered):
    offer, writing = offered()
    offer.decline.click()
    offer.take_up()
    assert offer.words() == ""
    assert not offer.is_open
    assert writing.asked == []
