"""A prospect foretells what sweeps teach from what was known before them, and from nothing that came of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from estimators import prospecting
from estimators.checkpoint import CheckpointError, load, save
from estimators.context import CONTEXT
from estimators.outlook import Outlook
from estimators.prospect import Prospect, apart, encoded
from estimators.prospecting import Lessons, prospect_of
from estimators.spec import SpecError, spec_from

SMALL = Outlook(cells=60, rounds=2, epochs=2, width=8, hidden=8, members=2)
AMPLITUDE, EXCLUDED = CONTEXT.index("amplitude"), CONTEXT.index("excluded")


@pytest.fixture
def prospect(network):
    torch.manual_seed(0)
    return Prospect.beside(network, SMALL).eval().requires_grad_(False)


@pytest.fixture
def asked(sets):
    """Five sets of two sweeps or more: what is known, and the commands of their second sweeps."""
    cells = [k for k in range(len(sets)) if sets.first[k + 1] - sets.first[k] > 1][:5]
    rows = sets.first[cells]
    features, told = (table[rows][:, None].astype(float) for table in (sets.features, sets.context))
    return features, told, sets.context[rows + 1][None].astype(float)


@pytest.fixture
def cells(monkeypatch, sets):
    """Cells that need no simulation."""
    given = []

    def adapt(network, spec, count, rng, **more):
        given.append(more)
        yield sets

    monkeypatch.setattr(prospecting, "adapt", adapt)
    return given


def course(network, spec, outlook=SMALL):
    """Go through a prospecting; give its epochs and what came of it."""
    epochs, steps = [], prospect_of(network, None, spec, outlook)
    while True:
        try:
            epochs.append(next(steps))
        except StopIteration as over:
            return epochs, over.value


def test_a_command_is_encoded_without_what_came_of_it(network, asked):
    command = torch.as_tensor(asked[2][0], dtype=torch.float32)
    broken, whole = command.clone(), command.clone()
    broken[:, EXCLUDED], whole[:, EXCLUDED] = 1.0, 0.0
    assert torch.equal(encoded(network, broken), encoded(network, whole))
    larger = whole.clone()
    larger[:, AMPLITUDE] += 100.0
    assert not torch.equal(encoded(network, larger), encoded(network, whole))


def test_how_far_a_command_is_from_those_played_has_no_unit():
    gaps = apart(torch.tensor([100.0]), torch.tensor([[-50.0, 100.0, 200.0]]))
    assert gaps.tolist() == [[0.75, 0.0, -0.5]]
    assert torch.equal(gaps, apart(torch.tensor([10.0]), torch.tensor([[-5.0, 10.0, 20.0]])))


def test_gains_are_of_each_member_candidate_cell_and_parameter_and_the_same_one_by_one(network, prospect, asked):
    features, told, commands = asked
    many = np.concatenate([commands, commands])
    many[1, :, AMPLITUDE] *= 0.5
    foretold = prospect.foretell(network, features, told, many)
    gains, breaks = foretold.gains, foretold.breaks
    assert gains.shape == (2, 2, 5, 2 + len(network.parameters_of_cell)) and np.isfinite(gains).all()
    assert breaks.shape == (2, 2, 5) and ((breaks > 0.0) & (breaks < 1.0)).all()
    alone = prospect.foretell(network, features[3:4], told[3:4], many[1:, 3:4])
    np.testing.assert_allclose(alone.gains[:, 0, 0], gains[:, 1, 3], atol=1e-5)
    np.testing.assert_allclose(alone.breaks[:, 0, 0], breaks[:, 1, 3], atol=1e-5)


def test_what_a_sweep_taught_is_what_the_network_knows_more(network, sets):
    lessons = Lessons.of(network, sets, torch.Generator().manual_seed(0))
    cell = int(np.argmax(np.diff(sets.first)))
    rows = slice(sets.first[cell], sets.first[cell] + 2)
    with torch.inference_mode():
        features, context = torch.from_numpy(sets.features[rows])[None], torch.from_numpy(sets.context[rows])[None]
        u = torch.from_numpy(sets.u[rows])
        known = [network(features[:, :k], context[:, :k], torch.ones(1, k, dtype=torch.bool)) for k in (1, 2)]
        more = float(known[1].log_prob(u[1:2]) - known[0].log_prob(u[:1]))
    assert float(lessons.taught[cell, 0, 0]) == pytest.approx(np.clip(more, -6.0, 12.0), abs=1e-4)
    short = int(np.argmin(np.diff(sets.first)))
    assert torch.isnan(lessons.taught[short, int(lessons.sizes[short]) - 1 :]).all()


def test_the_same_seed_gives_the_same_prospect_and_later_rounds_are_asked_by_the_earlier(network, spec, cells):
    (epochs, one), (_, same) = course(network, spec), course(network, spec)
    assert len(epochs) == SMALL.rounds * SMALL.epochs and all(np.isfinite(e.loss) for e in epochs)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert cells[0]["prospect"] is None and isinstance(cells[1]["prospect"], Prospect)
    assert cells[0]["rule"].max_spikes == 300


def test_it_learns_what_tells_and_what_breaks(network, spec, sets, asked, monkeypatch):
    """Where the gain is the command's amplitude, and large steps break, that is what is foretold."""

    def of(network, sets, generator):
        taught = lessons.taught.clone()
        amplitude = lessons.context[:, 1:, AMPLITUDE, None] / 100.0
        taught[:] = torch.where(torch.isfinite(taught), amplitude, torch.nan)
        context = lessons.context.clone()
        context[..., EXCLUDED] = (context[..., AMPLITUDE] > 40.0).float()
        return replace(lessons, taught=taught, context=context)

    lessons = Lessons.of(network, sets, torch.Generator().manual_seed(0))
    monkeypatch.setattr(Lessons, "of", of)
    monkeypatch.setattr(prospecting, "adapt", lambda *given, **more: iter([sets]))
    epochs, learned = course(network, spec, replace(SMALL, rounds=1, epochs=30, width=16, hidden=16))
    assert epochs[-1].held_out > 0.8
    features, told, commands = asked
    commands = np.repeat(commands, 2, axis=0)
    commands[0, :, AMPLITUDE], commands[1, :, AMPLITUDE] = -20.0, 150.0
    mild, harsh = learned.foretell(network, features, told, commands).breaks.mean(axis=0)
    assert mild.max() < 0.5 < harsh.min()


def test_a_checkpoint_keeps_its_prospect(checkpoint, network, prospect, asked, tmp_path):
    save(tmp_path / "net.h5", replace(checkpoint, prospect=prospect))
    again = load(tmp_path / "net.h5")
    assert again.prospect is not None and again.prospect.outlook == SMALL
    one, other = (p.foretell(network, *asked) for p in (again.prospect, prospect))
    assert np.array_equal(one.gains, other.gains) and np.array_equal(one.breaks, other.breaks)


def test_a_prospect_of_impossible_size_is_refused(checkpoint, prospect, tmp_path):
    prospect.outlook = replace(SMALL, members=10**6)
    save(tmp_path / "net.h5", replace(checkpoint, prospect=prospect))
    with pytest.raises(CheckpointError, match="members of the prospect is 1000000; 2 to 16 was wanted"):
        load(tmp_path / "net.h5")


def test_a_spec_says_whether_a_prospect_is_made(spec):
    assert spec.prospect.cells == 0
    text = f"{spec.text}\n[prospect]\ncells = 500\nmembers = "
    assert spec_from(f"{text}3\n", "net.toml").prospect == Outlook(cells=500, members=3)
    with pytest.raises(SpecError, match=r"prospect\.members is 1, an integer from 2 to 16 was wanted"):
        spec_from(f"{text}1\n", "net.toml")
