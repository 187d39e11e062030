import numpy as np
import pytest

from estimators.context import Context
from estimators.generation import voltages
from estimators.nuisances import Nuisances, rigs
from estimators.process import PROCESSES
from estimators.row_seeds import RowSeeds


@pytest.mark.parametrize("process", PROCESSES.values(), ids=lambda process: process.name)
def test_a_draws_noise_is_its_own_whichever_other_rows_a_batch_has(process):
    rng = np.random.default_rng(0)
    table = RowSeeds.table(4, rng)
    theta = np.tile([parameter.constrain(np.array(0.0)) for parameter in process.parameters], (4, 1))
    rig = rigs(theta, Nuisances(), rng, names=process.names)
    step = Context(20.0, 0.0, 1.0, 200.0, 50.0, 20.0, 20.0).row()

    def record(draws):
        context = np.tile(step, (len(draws), 1))
        return voltages(theta[draws], context, rig[draws], RowSeeds(table, draws), process.names)[0]

    whole, part = record(np.array([0, 1, 2, 3, 1])), record(np.array([3, 1]))
    np.testing.assert_array_equal(whole[[3, 1]], part)
    np.testing.assert_array_equal(whole[1], whole[4])
    assert not np.array_equal(whole[0], whole[1])


def test_who_asks_for_other_seeds_than_the_rows_have_gets_none():
    with pytest.raises(ValueError, match=r"Seeds of shape \(5, 2\) were asked for"):
        RowSeeds(RowSeeds.table(4, np.random.default_rng(0)), np.arange(3)).integers(1, 9, (5, 2))
