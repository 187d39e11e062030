"""How a drug stands, as it goes from the engine to the window."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from rig_plugin.dosing import PHASES, Dosing, Expected, Infusion, Span

numbers = st.floats(allow_nan=True, allow_infinity=False, width=32)
spans = st.builds(Span, numbers, numbers, numbers)
steps = st.floats(-500.0, 500.0)
rows = st.builds(Expected, steps, st.just("rest"), st.just("mV"), numbers, spans, spans, spans, numbers,
                 st.sampled_from([None, True, False]))  # fmt: skip
infusions = st.builds(Infusion, steps, steps, steps, steps, steps, steps, spans)
dosings = st.builds(
    Dosing, st.just("g_M"), steps, st.integers(1, 9), st.tuples(*3 * [st.integers(0, 9)]),
    st.none() | infusions, st.tuples() | st.tuples(rows), st.integers(0, 99), st.sampled_from(["", "confirmed"]),
    st.text(max_size=9), st.booleans(),
)  # fmt: skip


@settings(max_examples=30)
@given(dosings)
def test_a_dosing_comes_out_of_the_letter_as_it_went_in_whatever_is_missing(dosing):
    letter = json.dumps(dosing.to_json(), allow_nan=False)
    assert repr(Dosing.of(json.loads(letter))) == repr(dosing)


def test_a_phase_is_played_until_its_sweeps_are_over_or_there_is_a_verdict():
    assert [Dosing("g_M", -0.8, 2, done).phase for done in ((0, 0, 0), (2, 0, 0), (2, 2, 1), (2, 2, 2))] == [
        0, 1, 2, None,
    ]  # fmt: skip
    assert Dosing("g_M", -0.8, 2, (2, 0, 0), verdict="withheld").phase is None
    assert len(PHASES) == 3
