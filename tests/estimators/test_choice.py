import math
from dataclasses import replace

import numpy as np
import pytest

from estimators.abort import LEARNED, AbortRule
from estimators.admission import Tolerance
from estimators.candidate import Setting, StepCandidate
from estimators.choice import choose
from estimators.context import Context
from estimators.features import NAMES
from estimators.menu import menu
from estimators.outlook import Outlook
from estimators.prospect import Foretold, Prospect
from estimators.wish import Wish, WishError
from simulators.limits import Limits

SETTING = Setting(start=30.0)
STEPS = [StepCandidate(a, 0.0, d) for d in (300.0, 600.0) for a in (-40.0, 30.0, 80.0)]
UNBELIEVING = Wish(disagreement=1e6)
FREE = Tolerance(trusted=2, largest=400.0)


@pytest.fixture(autouse=True)
def cells(monkeypatch):
    """Cells that need no simulation: features follow theta the more the larger the step, and -60 pA breaks some."""

    def voltages(theta, context, rigs, rng, names):
        samples = np.full((len(theta), 200), -70.0, dtype=np.float32)
        samples[(context[:, 0] < -60.0) & (theta[:, 0] > 60.0)] = -130.0
        samples[:, 0] = 0.1 * theta[:, 0]
        return samples, np.full(len(theta), 200)

    def features_of(samples, counts, column):
        rng = np.random.default_rng(0)
        mix = rng.normal(size=(1, len(NAMES)))
        signal = 0.01 * column["amplitude"][:, None] * np.log(samples[:, :1]) @ mix
        features = signal + rng.normal(size=(len(samples), len(NAMES)))
        features[:, [NAMES.index(name) for name in ("spikes_before", "spike_count", "rebound_spikes")]] = 0.0
        return features

    monkeypatch.setattr("estimators.foresight.voltages", voltages)
    monkeypatch.setattr("estimators.foresight.features_of", features_of)


@pytest.fixture
def seen():
    rng = np.random.default_rng(1)
    contexts = [Context(a, 0.0, 1.0, 500.0, 200.0, 300.0, 20.0, start=5.0 * k) for k, a in enumerate((-40.0, 60.0))]
    return rng.normal(size=(2, len(NAMES))), contexts


def ask(checkpoint, seen, candidates=STEPS, setting=SETTING, **more):
    return choose(checkpoint, *seen, setting, candidates, **({"wish": UNBELIEVING, "seed": 3} | more))


def test_the_same_seed_gives_the_same_choice_and_another_one_other_numbers(checkpoint, seen):
    one, same, other = (replace(ask(checkpoint, seen, seed=s), milliseconds=0.0) for s in (3, 3, 4))
    assert one == same
    assert [offer.gain for offer in one.offers] != [offer.gain for offer in other.offers]


def test_every_candidate_is_told_with_its_figures_or_the_reason_against_it(checkpoint, seen):
    choice = ask(checkpoint, seen, [*STEPS, StepCandidate(-100.0), StepCandidate(200.0), StepCandidate(5.0, 0.0, 50.0)])
    *free, harsh, far, short = choice.offers
    for offer in free:
        assert offer.refusal is None
        assert offer.reduction == pytest.approx(choice.entropy - offer.entropy)
        assert offer.draws >= 32
        assert offer.error > 0
        assert offer.aborted_bound < 0.02
        assert offer.seconds == offer.candidate.seconds(SETTING)
    assert "predicted sweeps would be aborted" in harsh.refusal
    assert "twice the 60 pA that the cell has tolerated" in far.refusal
    assert "outside the 200 to 1000 ms" in short.refusal
    assert [offer.gain for offer in (harsh, far, short)] == [None] * 3
    assert choice.candidate in STEPS
    assert choice.draws == max(offer.draws for offer in free)


def test_of_those_as_good_as_the_leader_the_cheapest_is_taken(checkpoint, seen):
    choice = ask(checkpoint, seen, wish=replace(UNBELIEVING, within=1e3), tolerance=FREE)
    assert choice.candidate.duration == 300.0
    strict = ask(checkpoint, seen, wish=replace(UNBELIEVING, within=0.0), tolerance=FREE)
    gains = [offer.gain for offer in strict.offers]
    assert strict.chosen == int(np.argmax(gains))
    assert "the most of 6 candidates" in strict.reason
    by_second = ask(checkpoint, seen, wish=replace(UNBELIEVING, by="second"), tolerance=FREE)
    rates = [offer.gain / offer.seconds for offer in by_second.offers]
    assert by_second.chosen == int(np.argmax(rates))


def test_a_gain_that_the_entropy_contradicts_is_shown_and_not_chosen(checkpoint, seen):
    choice = ask(checkpoint, seen, STEPS[:4], wish=Wish(disagreement=0.0))
    contradicted = [offer for offer in choice.offers if offer.refusal and offer.gain is not None]
    assert contradicted
    assert "the network is not to be believed here" in contradicted[0].refusal
    assert choice.candidate not in [offer.candidate for offer in contradicted]


def test_of_an_unknown_cell_only_the_first_rung_is_chosen(checkpoint):
    nothing = (np.empty((0, len(NAMES))), [])
    choice = ask(checkpoint, nothing, tolerance=Tolerance(resistance=250.0))
    assert choice.candidate == StepCandidate(-40.0, 0.0, 500.0)
    assert choice.reason == "Nothing is known of this cell yet: a step of -40 pA for 500 ms."
    assert (choice.entropy, choice.simulated) == (None, 0)
    assert all(offer.refusal for offer in choice.offers[: len(STEPS)])
    stuck = ask(checkpoint, nothing, tolerance=Tolerance(resistance=250.0), limits=Limits(1.0, 2.0))
    assert stuck.candidate is None
    assert "may be played: Command spans" in stuck.reason


def test_with_one_trusted_sweep_one_of_the_rungs_is_chosen_and_one_that_was_borne_needs_no_prediction(checkpoint, seen):
    once = (seen[0][:1], seen[1][:1])
    choice = ask(checkpoint, once)
    assert abs(choice.candidate.amplitude) in (40.0, 80.0)
    assert choice.candidate not in STEPS
    fearful = ask(checkpoint, once, rule=AbortRule(below=-60.0, below_for=1.0))
    assert abs(fearful.candidate.amplitude) == 40.0
    assert any("would be aborted" in (offer.refusal or "") for offer in fearful.offers)


def test_sweeps_that_were_all_excluded_tell_nothing(checkpoint, seen):
    rows, contexts = seen
    choice = ask(checkpoint, (np.full_like(rows, np.nan), [replace(c, excluded=1.0) for c in contexts]))
    assert choice.candidate.amplitude == -5.0
    assert choice.entropy is None


def test_it_stops_when_the_posterior_is_narrow_enough_or_nothing_is_worth_a_sweep(checkpoint, seen):
    gains = [offer.gain for offer in ask(checkpoint, seen, tolerance=FREE).offers]
    # What this network gains may be negative: it was never trained.
    shifted = replace(UNBELIEVING, worth=max(0.0, max(gains)), entropy=-1e3)
    assert (ask(checkpoint, seen, wish=shifted, tolerance=FREE).stop is None) is (max(gains) >= 0.0)
    narrow = ask(checkpoint, seen, wish=replace(UNBELIEVING, widths={"C": 1e4}))
    assert narrow.stop.startswith("The posterior is as narrow as asked: C ")
    worthless = ask(checkpoint, seen, wish=replace(UNBELIEVING, worth=1e3), tolerance=FREE)
    assert worthless.stop.startswith("No candidate is worth a sweep: the best gains")
    assert worthless.stop.endswith("1e+03 nat were asked.")
    assert worthless.candidate is not None


def test_where_larger_steps_are_only_not_borne_yet_the_largest_is_played_rather_than_none(checkpoint, seen):
    choice = ask(checkpoint, seen, wish=replace(UNBELIEVING, worth=1e3))
    assert choice.stop is None and choice.candidate.amplitude == max(step.amplitude for step in STEPS)
    assert "the largest step that may be tried so far" in choice.reason


def test_a_budget_ends_the_search_and_says_so(checkpoint, seen):
    asked = replace(UNBELIEVING, within=1e-9)
    choice = ask(checkpoint, seen, wish=asked, budget=1e-6)
    assert not choice.in_time
    assert choice.reason.endswith("The budget of 1e-06 ms ended the search with 32 draws.")
    assert choice.candidate is not None
    assert ask(checkpoint, seen, wish=asked).draws > 32
    assert ask(checkpoint, seen, budget=1e6).in_time


def test_the_search_goes_on_about_the_leader(checkpoint, seen):
    plain, refined = ask(checkpoint, seen), ask(checkpoint, seen, refine=2)
    assert [o.candidate for o in refined.offers[: len(plain.offers)]] == [o.candidate for o in plain.offers]
    added = refined.offers[len(plain.offers) :]
    assert added
    assert len({offer.candidate for offer in refined.offers}) == len(refined.offers)
    assert refined.offers[refined.chosen].gain >= max(o.gain for o in refined.offers if o.gain is not None) - 0.2


def test_only_some_parameters_may_matter(checkpoint, seen, spec):
    about = ask(checkpoint, seen, wish=replace(UNBELIEVING, parameters=spec.names[:2]))
    assert about.entropy < ask(checkpoint, seen).entropy
    assert about.candidate is not None
    with pytest.raises(WishError, match="knows no g_X"):
        ask(checkpoint, seen, wish=Wish(parameters=("g_X",)))


def test_all_that_the_menu_offers_can_be_asked(checkpoint, seen):
    offered = menu(checkpoint.domain, Limits(), SETTING, reach=120.0)
    choice = ask(checkpoint, seen, offered)
    assert len(choice.offers) == len(offered)


def test_the_latest_sweeps_of_a_long_session_serve(checkpoint, seen):
    rows, contexts = seen
    many = [replace(contexts[k % 2], start=float(k)) for k in range(60)]
    choice = ask(checkpoint, (np.resize(rows, (60, rows.shape[1])), many), setting=Setting(start=100.0))
    assert choice.candidate is not None
    with pytest.raises(ValueError, match="1 sweeps have 2 contexts"):
        ask(checkpoint, (rows[:1], contexts))


class Learned(Prospect):
    """Foretells as many nats as the step has tens of pA, for whoever is asked, and half of that of the entropy."""

    harsh = math.inf
    """From which step on sweeps are foretold to break."""

    def foretell(self, network, features, told, asked):
        gain = np.abs(asked[..., 0]) / 10.0
        parts = np.stack([gain, 0.9 * gain, *[gain / 20.0 * (k + 1) / 6.5 for k in range(12)]], axis=-1)
        breaks = np.where(asked[..., 0] >= self.harsh, 0.3, 0.001)
        return Foretold(np.stack([parts, parts + 0.1]), np.stack([breaks, 0.5 * breaks]))


@pytest.fixture
def learned(checkpoint):
    network = checkpoint.network
    prospect = Learned.beside(network, Outlook(width=2, hidden=2, members=2))
    return replace(checkpoint, prospect=prospect)


def test_where_it_was_learned_what_sweeps_teach_the_best_that_is_borne_is_chosen(learned, seen):
    choice = ask(learned, seen, wish=Wish(disagreement=1e6, within=0.0), tolerance=FREE)
    best = choice.offers[choice.chosen]
    assert best.candidate.amplitude > 80.0 and best.gain == pytest.approx(best.candidate.amplitude / 10.0 + 0.05)
    assert best.refusal is None and best.aborted == 0.0 and best.aborted_bound < 0.02
    assert choice.simulated <= 320 and best.draws == 0


def test_where_a_session_aborts_no_more_than_what_was_learned_nothing_is_simulated(learned, seen):
    wish = Wish(disagreement=1e6, within=0.0)
    choice = ask(learned, seen, wish=wish, tolerance=FREE, rule=LEARNED)
    best = choice.offers[choice.chosen]
    assert best.candidate.amplitude > 80.0 and choice.simulated == 0
    assert (best.aborted, best.aborted_bound) == (pytest.approx(0.00075), 0.001)
    learned.prospect.harsh = 70.0
    milder = ask(learned, seen, wish=wish, tolerance=FREE, rule=LEARNED)
    assert milder.candidate.amplitude < 70.0 and milder.simulated == 0
    stricter = ask(learned, seen, wish=wish, tolerance=FREE, rule=replace(LEARNED, above=-20.0))
    assert stricter.simulated > 0


def test_of_what_was_not_proven_nothing_is_chosen_and_what_is_harsher_than_what_breaks_is_not_tried(learned, seen):
    steps = [StepCandidate(a, 0.0, 500.0) for a in (-300.0, -150.0, -70.0, -50.0, 20.0)]
    choice = ask(learned, seen, steps, wish=Wish(disagreement=1e6, within=0.0), tolerance=FREE)
    offers = {offer.candidate.amplitude: offer for offer in choice.offers}
    assert choice.candidate.amplitude >= -60.0
    assert "would be aborted" in offers[-70.0].refusal or "harsher than" in offers[-70.0].refusal
    assert all(offers[a].refusal is not None for a in (-300.0, -150.0))
    assert offers[20.0].refusal is None and offers[20.0].aborted is None


def test_what_is_foretold_to_break_is_refused_without_a_simulation_and_what_is_not_is_proven(learned, seen):
    steps = [StepCandidate(a) for a in (40.0, 60.0, 80.0)]
    free = ask(learned, seen, steps, wish=Wish(disagreement=1e6, within=0.0), tolerance=FREE)
    learned.prospect.harsh = 70.0
    choice = ask(learned, seen, steps, wish=Wish(disagreement=1e6, within=0.0), tolerance=FREE)
    assert free.candidate.amplitude >= 80.0 > 70.0 > choice.candidate.amplitude
    harsh = next(offer for offer in choice.offers if offer.candidate.amplitude == 80.0)
    assert harsh.refusal == (
        "Of such sweeps up to 30 % are broken off, as was learned from simulated cells; less than 2 % is admitted."
    )
    assert harsh.aborted is None
    assert choice.offers[choice.chosen].aborted_bound < 0.02
    bold = ask(learned, seen, steps, wish=Wish(disagreement=1e6, within=0.0), tolerance=FREE, rule=AbortRule(share=0.4))
    assert bold.candidate.amplitude >= 80.0


def test_what_was_passed_over_and_what_resembles_it_is_not_chosen_and_what_is_chosen_is_proven(learned, seen):
    steps = [StepCandidate(a) for a in (20.0, 40.0, 75.0, 80.0)]
    passed = (StepCandidate(80.0), StepCandidate(40.0))
    choice = ask(learned, seen, steps, wish=Wish(disagreement=1e6, within=0.0), tolerance=FREE, passed=passed)
    best = choice.offers[choice.chosen]
    assert not any(best.candidate.resembles(other) for other in passed)
    assert best.aborted_bound is not None and best.aborted_bound < 0.02
    told = {offer.candidate.amplitude: offer.refusal for offer in choice.offers}
    assert told[75.0] == told[80.0] == "It was passed over, or is much like one that was."


def test_a_step_no_larger_than_one_that_was_played_is_not_played_for_being_the_largest(learned, seen):
    poor = Wish(disagreement=1e6, worth=1e3)
    rising = ask(learned, seen, [StepCandidate(90.0)], wish=poor, tolerance=Tolerance(trusted=2, largest=100.0))
    assert rising.stop is None and "the largest step" in rising.reason
    played = ask(learned, seen, [StepCandidate(40.0)], wish=poor, tolerance=Tolerance(trusted=2, largest=25.0))
    assert "No candidate is worth a sweep" in played.stop


def test_of_some_parameters_the_learned_gain_is_theirs(learned, seen, spec):
    names = spec.names[:2]
    wish = Wish(parameters=names, disagreement=1e6, within=0.0)
    choice = ask(learned, seen, [StepCandidate(50.0)], wish=wish, tolerance=FREE)
    best = choice.offers[0]
    fall = 5.0 / 20.0 * (1 + 2) / 6.5
    assert best.reduction == pytest.approx(fall + 0.1, rel=1e-6)
    assert best.gain == pytest.approx(best.reduction + (5.0 - 4.5) * 2 / 12, rel=1e-6)


def test_gains_are_simulated_where_that_is_asked(learned, seen):
    choice = ask(learned, seen, simulate=True)
    assert choice == replace(ask(replace(learned, prospect=None), seen), milliseconds=choice.milliseconds)
