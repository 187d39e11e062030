"""This file is the stomatogastric neuron: one cell of the pyloric network, alone under the electrode."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulators.electrode import TWO_ELECTRODES, Electrode
from simulators.parameter import Parameter
from simulators.patched import Patched
from simulators.stg_batch import Preparation, record
from simulators.stg_rest import at_rest, nernst
from simulators.stimulus import Stimulus

__all__ = ["PUBLISHED", "StgNeuron"]

PUBLISHED = {
    "AB/PD": (
        (400.0, 2.5, 6.0, 50.0, 10.0, 100.0, 0.01, 0.0),
        (100.0, 2.5, 6.0, 50.0, 5.0, 100.0, 0.01, 0.0),
        (200.0, 2.5, 4.0, 50.0, 5.0, 50.0, 0.01, 0.0),
        (200.0, 5.0, 4.0, 40.0, 5.0, 125.0, 0.01, 0.0),
        (300.0, 2.5, 2.0, 10.0, 5.0, 125.0, 0.01, 0.0),
    ),
    "LP": (
        (100.0, 0.0, 8.0, 40.0, 5.0, 75.0, 0.05, 0.02),
        (100.0, 0.0, 6.0, 30.0, 5.0, 50.0, 0.05, 0.02),
        (100.0, 0.0, 10.0, 50.0, 5.0, 100.0, 0.0, 0.03),
        (100.0, 0.0, 4.0, 20.0, 0.0, 25.0, 0.05, 0.03),
        (100.0, 0.0, 6.0, 30.0, 0.0, 50.0, 0.03, 0.02),
    ),
    "PY": (
        (100.0, 2.5, 2.0, 50.0, 0.0, 125.0, 0.05, 0.01),
        (200.0, 7.5, 0.0, 50.0, 0.0, 75.0, 0.05, 0.0),
        (200.0, 10.0, 0.0, 50.0, 0.0, 100.0, 0.03, 0.0),
        (400.0, 2.5, 2.0, 50.0, 0.0, 75.0, 0.05, 0.0),
        (500.0, 2.5, 2.0, 40.0, 0.0, 125.0, 0.01, 0.03),
        (500.0, 2.5, 2.0, 40.0, 0.0, 125.0, 0.0, 0.02),
    ),
}
"""Neurons of the published networks, in the order of `StgNeuron.parameters`.

References:
    Prinz et al. (2004), Nat. Neurosci. 7, 1345-1352, table 2. https://doi.org/10.1038/nn1352
"""


class StgNeuron(Patched):
    """A neuron of the crab's stomatogastric ganglion with the conductances of AB/PD, LP or PY, or others.

    The bounds hold the published neurons of all three kinds and the grid of Prinz et al. (2003). Their currents reach
    microamperes, by which one electrode of 10 MOhm loses its command: these cells are clamped with two.

    Args:
        temperature: [K]; the published neurons are at 283 K.
        noise: Current noise of the membrane, 0.25 in the published networks [uA/cm2 ms^0.5].
        settling: How long a cell runs at the first level before the stimulus starts, from its fixed point [ms].
        electrode: What the cell is seen through.

    References:
        Prinz et al. (2003), J. Neurophysiol. 90, 3998-4015. https://doi.org/10.1152/jn.00641.2003
    """

    parameters = (
        Parameter("g_Na", "mS/cm2", 0.0, 600.0),
        Parameter("g_CaT", "mS/cm2", 0.0, 12.5),
        Parameter("g_CaS", "mS/cm2", 0.0, 12.0),
        Parameter("g_A", "mS/cm2", 0.0, 60.0),
        Parameter("g_KCa", "mS/cm2", 0.0, 25.0),
        Parameter("g_Kd", "mS/cm2", 0.0, 150.0),
        Parameter("g_H", "mS/cm2", 0.0, 0.06),
        Parameter("g_leak", "mS/cm2", 0.0, 0.05),
    )
    conductances = tuple(parameter.name for parameter in parameters)

    def __init__(
        self,
        temperature: float = 283.0,
        noise: float = 0.0,
        settling: float = 1000.0,
        electrode: Electrode = TWO_ELECTRODES,
    ) -> None:
        super().__init__(electrode)
        self.temperature, self.noise, self.settling = temperature, noise, settling

    def _simulate(
        self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rate: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        courses = self.courses(theta, stimulus)
        electrodes, levels, pipette = self._impaled(stimulus, len(theta), rng)
        held = pipette * levels[0] if pipette else levels[0]
        V, Ca, gates = at_rest(courses[:, 0], float(held), nernst(self.temperature), pipette)
        preparation = Preparation(
            conductances=courses[:, :, None],
            synapses=np.empty((len(theta), len(stimulus.epochs), 0)),
            ends=np.cumsum([epoch.duration for epoch in stimulus.epochs]),
            levels=levels,
            electrodes=electrodes,
            pipette=pipette,
            site=0,
            voltages=V[:, None],
            calcium=Ca[:, None],
            gates=gates[:, None],
            before=self.settling,
            temperature=self.temperature,
            noise=self.noise,
        )
        return record(preparation, rate, len(stimulus.command(rate)), rng)[:, 0].astype(np.float64)
