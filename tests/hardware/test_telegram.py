"""Telegrams are the same data on both sides of a frame."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware import telegram as t
from hardware.frame import Frame, FrameError

WIDTHS = {"B": 8, "H": 16, "I": 32}
HEARD = (t.Version, t.Done, t.Received, t.Content, t.Status, t.Refused, t.Samples, t.Booted)
ASKED = (t.AskVersion, t.Rate, t.Gain, t.Holding, t.Part, t.ReadBack, t.Start, t.Stop, t.AskStatus, t.Alive, t.Clamp)


def values(kind):
    """Any values of a telegram's fields, by the letters of its layout."""
    letters = kind.layout.format.lstrip("<")
    ranges = {
        "?": st.booleans(),
        "h": st.integers(-32_768, 32_767),
        "f": st.floats(width=32, allow_nan=False),
        **{letter: st.integers(0, 2**width - 1) for letter, width in WIDTHS.items()},
    }
    drawn = [ranges[letter] for letter in letters]
    return st.tuples(*drawn, *[st.binary(max_size=200)] * (len(fields(kind)) - len(letters)))


@pytest.mark.parametrize("kind", [*HEARD, *ASKED])
@given(data=st.data())
def test_a_telegram_comes_back_as_it_was_sent(kind, data):
    sent = kind(*data.draw(values(kind)))
    frame = sent.frame(9)
    assert frame.sequence == 9
    assert kind.of_body(frame.body) == sent
    if kind in HEARD:
        assert t.heard(frame) == sent


def test_no_two_telegrams_share_a_code():
    codes = [kind.code for kind in (*HEARD, *ASKED)]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("frame", [Frame(0x42, 1), Frame(t.Status.code, 1, bytes(5)), Frame(t.Done.code, 1, bytes(3))])
def test_what_no_device_says_is_refused(frame):
    with pytest.raises(FrameError):
        t.heard(frame)
