"""The benchmarks of trust and of robustness, and what is told of a cell, know the cells of every process."""

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.spec import spec_from
from rig_plugin.benchmarks import robustness
from rig_plugin.simulated_cell import CELLS
from rig_plugin.tasks.imperfection import levels
from rig_plugin.tasks.in_sample import capacitance
from rig_plugin.trial import Posterior
from rig_plugin.widgets.conductance import has_dendrite, is_density

SPECS = {"cortical": "cortical-steps.toml", "patchseq": "patchseq-13.toml"}
MEAN, REST = NAMES.index("mean_voltage"), NAMES.index("rest")


@pytest.fixture(params=SPECS)
def spec(request):
    spec = spec_from((files("estimators.pretrained") / SPECS[request.param]).read_text(encoding="utf-8"), "the spec")
    return replace(spec, designs=replace(spec.designs, duration=(200.0, 210.0), baseline=(50.0, 60.0)))


def typical(spec, count):
    """Cells that rest and fire."""
    middle = {parameter.name: float(parameter.constrain(np.array(0.0))) for parameter in spec.parameters}
    values = middle | dict(CELLS[spec.process.name].typical)
    return np.tile([values[name] for name in spec.names], (count, 1))


def test_a_bridge_of_the_robustness_is_the_bridge_of_the_cell(spec):
    (chunk,) = robustness._draw(spec, 8)
    found = {level.name: level for level in levels(spec) if level.imperfection in ("none", "bridge")}
    none, worst = (
        robustness._answer(spec, chunk, found[name], 0) for name in ("none/as trained/inside", "bridge/40 MOhm/beyond")
    )
    jump, amplitude = NAMES.index("onset_jump"), chunk.context[:, CONTEXT.index("amplitude")]
    bridge = spec.names.index("bridge")
    assert (worst.u[:, bridge] == worst.u[0, bridge]).all()
    own = np.asarray(spec.parameters[bridge].constrain(chunk.u[:, bridge]))
    moved = worst.features[:, jump] - none.features[:, jump]
    there = np.isfinite(moved) & (np.abs(amplitude) > 20.0)
    assert there.sum() > 5
    np.testing.assert_allclose(moved[there], 1e-3 * (40.0 - own[there]) * amplitude[there], rtol=0.1, atol=0.3)


def test_a_density_is_told_in_nanosiemens_only_where_a_picofarad_is_a_millionth_of_a_square_centimetre(spec):
    densities = [parameter for parameter in spec.parameters if parameter.unit == "mS/cm2"]
    assert len(densities) >= 4
    assert {is_density(p, spec.parameters) for p in densities} == {spec.process.name == "cortical"}
    assert not has_dendrite(spec.parameters)


def test_the_capacitance_of_a_cell_is_in_picofarads(spec):
    theta = typical(spec, 2)
    # 90 pF; 20 ms over 170 MOhm.
    wanted = {"cortical": 90.0, "patchseq": 117.6}[spec.process.name]
    np.testing.assert_allclose(capacitance(theta, spec.names), wanted, rtol=1e-3)


def test_a_posterior_tells_how_much_is_the_models_error_where_that_is_inferred(spec):
    u = np.random.default_rng(2).normal(size=(200, len(spec.parameters)))
    draws = np.stack([p.constrain(u[:, k]) for k, p in enumerate(spec.parameters)], axis=1)
    summary = Posterior(spec.parameters, draws).summary()
    assert tuple(summary) == spec.names
    told = {name for name, entry in summary.items() if entry["model_error"] is not None}
    assert told == (set(spec.names) - {"discrepancy"} if "discrepancy" in spec.names else set())
