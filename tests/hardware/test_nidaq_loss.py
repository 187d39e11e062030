"""What a board loses on its way is told to the sample, and the sweep goes on."""

import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware import nidaq_input
from hardware.nidaq_wiring import Input
from hardware.rig import Gain, RigError
from simulators.stimulus import step

pytestmark = pytest.mark.usefixtures("no_thread_is_left")

STEP = step(80.0, holding=-20.0, onset=100.0, duration=300.0, tail=200.0)
RULER = Input("ai7", Gain(2.0**20, "mV/V", "made"))
"""Its millivolts are the index of the sample."""


def joined(blocks):
    whole = [block.whole for block in blocks]
    return np.concatenate([block.response for block in whole]), np.concatenate([block.command for block in whole])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.integers(0, 5999),
    size=st.integers(1, 3000),
    code=st.sampled_from([-200279, -200361, -200222]),
    answered=st.booleans(),
)
def test_what_was_lost_is_told_to_the_sample(shared, first, size, code, answered, attached):
    shared.answered = {code} if answered else set()
    shared.faults = {first: (code, min(6000, first + size))}
    with attached(shared, RULER) as rig:
        blocks = list(rig.play(STEP))
    response, command = joined(blocks)
    assert response.size == 6000
    known = np.isfinite(response)
    np.testing.assert_array_equal(response[known], np.flatnonzero(known))
    np.testing.assert_array_equal(command[known], STEP.command(10.0)[known])
    lost = np.flatnonzero(~known)
    assert lost.size
    # It is one gap, and what came before the trouble is all there but for one block.
    np.testing.assert_array_equal(np.diff(lost), 1)
    assert first - 200 < lost[0] <= first
    assert sum(block.lost for block in blocks) == lost.size


@pytest.mark.parametrize("code", [-200279, -200361])
def test_a_further_channel_loses_what_the_response_loses(serve, attached, wired, code):
    server = serve()
    server.faults = {2500: (code, 3100)}
    with attached(server, wiring=wired(server, others={"ruler": RULER})) as rig:
        blocks = [block.whole for block in rig.play(STEP)]
    response = np.concatenate([block.response for block in blocks])
    ruler = np.concatenate([block.others["ruler"] for block in blocks])
    known = np.isfinite(response)
    assert not known.all()
    np.testing.assert_array_equal(ruler, np.where(known, np.arange(6000.0), np.nan))


@pytest.fixture
def shared(serve):
    return serve()


def test_after_an_overflow_in_the_middle_of_a_sweep_the_rest_of_it_comes(serve, attached):
    server = serve(speed=2.0)
    server.faults = {2500: (-200361, 2501)}
    with attached(server, RULER) as rig:
        response, _ = joined(rig.play(STEP))
        known = np.isfinite(response)
        np.testing.assert_array_equal(response[known], np.flatnonzero(known))
        assert known[:2400].all() and known[-1000:].all() and not known[2500]
        server.faults = {}
        assert np.isfinite(joined(rig.play(STEP))[0]).all()


def test_a_sweep_that_is_lost_twice_is_lost_to_its_end(serve, attached):
    server = serve(speed=4.0)
    server.faults, server.later = {2500: (-200361, 2501)}, {100: (-200361, 101)}
    with attached(server, RULER) as rig:
        *blocks, last = rig.play(STEP)
    assert [block.lost for block in blocks] == [0] * 12
    assert (last.lost, last.response.size) == (3600, 0)


def test_a_stop_is_heard_while_the_rest_of_a_sweep_is_looked_for(serve, attached):
    server = serve(speed=0.01)
    server.faults = {15: (-200361, 16)}
    with attached(server, RULER, rate=1.0, timeout=30_000.0) as rig:
        user = threading.Thread(target=lambda: (server.wait_for(lambda: not server.faults), rig.stop()))
        user.start()
        assert list(rig.play(STEP)) == []
        user.join()
        assert server.output == 0.0


def test_a_program_that_fell_behind_goes_on_with_a_gap_of_the_right_length_in_every_channel(serve, attached, wired):
    server = serve(speed=20.0)
    wiring = wired(server, RULER, others={"bath": Input("ai3", Gain(10.0, "degC/V", "made"))})
    with attached(server, wiring=wiring) as rig:
        blocks = rig.hold(0.0)
        seen = [next(blocks) for _ in range(3)]
        # The buffer is of eight seconds.
        server.leap = 200_000
        seen += [next(blocks) for _ in range(3)]
        blocks.close()
    response, _ = joined(seen)
    known = np.isfinite(response)
    np.testing.assert_array_equal(response[known], np.flatnonzero(known))
    bath = np.concatenate([block.whole.others["bath"] for block in seen])
    np.testing.assert_array_equal(bath, np.where(known, 10.0, np.nan))
    assert [bool(block.lost) for block in seen] == [False, False, False, True, False, False]
    assert seen[3].lost > 200_000 - 80_000


def test_what_the_driver_cannot_be_asked_for_any_more_ends_the_hold(serve, monkeypatch, attached):
    monkeypatch.setattr(nidaq_input, "_FAR", 100_000)
    server = serve(speed=20.0)
    with attached(server) as rig, pytest.raises(RigError, match="did not read them in time: close other programs"):
        for _ in rig.hold(0.0):
            server.leap = 200_000


def test_an_overflow_while_a_command_is_held_says_where(serve, attached):
    server = serve(speed=5.0)
    server.faults = {500: (-200361, 501)}
    with attached(server, RULER) as rig, pytest.raises(RigError, match=r"ran over at sample 400 \(0\.040 s\)"):
        list(rig.hold(30.0))
    assert server.output == 0.0
