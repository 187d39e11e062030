"""This file is the pyloric network: AB/PD, LP and PY, their seven synapses, and the rhythm that they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators.electrode import TWO_ELECTRODES, Electrode
from simulators.parameter import Parameter
from simulators.patched import Patched
from simulators.pyloric_rhythm import PYLORIC, STATISTICS, TRIPHASIC
from simulators.stg import NOISE
from simulators.stg_batch import Preparation, record, watch
from simulators.stg_kinetics import SLOTS
from simulators.stimulus import Epoch, Stimulus

__all__ = ["CELLS", "SYNAPSES", "Pyloric", "Rhythm"]

CELLS = ("AB/PD", "LP", "PY")
SYNAPSES = ("AB_LP", "PD_LP", "AB_PY", "PD_PY", "LP_PD", "LP_PY", "PY_LP")
"""Sender and receiver; those of PD are cholinergic, all others glutamatergic."""

_NAMES = ("g_Na", "g_CaT", "g_CaS", "g_A", "g_KCa", "g_Kd", "g_H", "g_leak")
_LOW = (
    (0.0, 0.0, 0.0, 0.0, 0.0, 25.0, 0.0, 0.0),
    (0.0, 0.0, 2.0, 10.0, 0.0, 0.0, 0.0, 0.01),
    (0.0, 0.0, 0.0, 30.0, 0.0, 50.0, 0.0, 0.0),
)
_HIGH = (
    (500.0, 7.5, 8.0, 60.0, 15.0, 150.0, 0.02, 0.01),
    (200.0, 2.5, 12.0, 60.0, 10.0, 125.0, 0.06, 0.04),
    (600.0, 12.5, 4.0, 60.0, 5.0, 150.0, 0.06, 0.04),
)


@dataclass(frozen=True, eq=False)
class Rhythm:
    """What networks do.

    Args:
        statistics: In the order of `STATISTICS`, NaN where there is no such rhythm, shape (b, 18).
        triphasic: Whether at least 0.9 of the cycles have one burst of each cell, shape (b,).
        pyloric: Whether they are triphasic and at least 0.7 of these cycles are in the order AB/PD, LP, PY, shape (b,).
    """

    statistics: npt.NDArray[np.float64]
    triphasic: npt.NDArray[np.bool_]
    pyloric: npt.NDArray[np.bool_]


class Pyloric(Patched):
    """The pyloric network of the crab's stomatogastric ganglion, with an electrode in one of its cells.

    A simulator answers one stimulus with one response per preparation, as a rig with one electrode does, and so does
    this one: whatever takes a neuron takes a cell within its network too. What three electrodes would see is
    `voltages`, and what the network does, found while it runs, is `rhythm`. A network has no rest; it starts as the
    published one does, at -50 mV with all gates closed, and runs at the first level before the stimulus starts.

    The bounds are the published prior. A synapse that the literature gives as 0 is at its lower bound, 0.01 nS.

    Args:
        impaled: The cell with the electrode, one of `CELLS`.
        temperature: [K]; the published network is at 283 K.
        noise: Current noise of each membrane, dt-invariant [uA/cm2 ms^0.5].
        settling: How long a network runs before the stimulus starts [ms].
        electrode: What the impaled cell is seen through, and held; the others are seen as they are.

    Raises:
        ValueError: If there is no such cell.

    References:
        Prinz et al. (2004), Nat. Neurosci. 7, 1345-1352. https://doi.org/10.1038/nn1352
        Goncalves et al. (2020), eLife 9, e56261. https://doi.org/10.7554/eLife.56261
    """

    parameters = (
        *(
            Parameter(f"{name}_{cell.split('/')[-1]}", "mS/cm2", low, high)
            for cell, lows, highs in zip(CELLS, _LOW, _HIGH, strict=True)
            for name, low, high in zip(_NAMES, lows, highs, strict=True)
        ),
        *(Parameter(f"g_{name}", "nS", 0.01, 1e4 if name == "AB_LP" else 1e3, "log") for name in SYNAPSES),
    )
    conductances = tuple(parameter.name for parameter in parameters)

    def __init__(
        self,
        impaled: str = "AB/PD",
        temperature: float = 283.0,
        noise: float = NOISE,
        settling: float = 1000.0,
        electrode: Electrode = TWO_ELECTRODES,
    ) -> None:
        if impaled not in CELLS:
            raise ValueError(f"The electrode is in {impaled!r}, one of {', '.join(CELLS)} was wanted.")
        super().__init__(electrode)
        self.site = CELLS.index(impaled)
        self.temperature, self.noise, self.settling = temperature, noise, settling

    def voltages(
        self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rate: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        """Answer with all cells; the impaled one with the current where it is held.

        Args:
            theta: Shape (b, 31).
            stimulus: What goes into the impaled cell.
            rate: Sampling rate [kHz].
            rng: Source of randomness.

        Returns:
            Shape (b, 3, n), in the order of `CELLS` [mV, and pA where held].

        Raises:
            ValueError: As in `simulate`.
        """
        theta = self.checked(theta, stimulus, rate)
        prepared = self._prepare(theta, stimulus, rng)
        return record(prepared, rate, len(stimulus.command(rate)), rng).astype(np.float64)

    def rhythm(
        self,
        theta: npt.NDArray[np.float64],
        rng: np.random.Generator,
        duration: float = 10_000.0,
        stimulus: Stimulus | None = None,
    ) -> Rhythm:
        """Measure what networks do, without keeping a trace.

        Args:
            theta: Shape (b, 31).
            rng: Source of randomness.
            duration: How long they are followed where there is no stimulus [ms].
            stimulus: What goes into the impaled cell meanwhile, in current clamp.

        Returns:
            The rhythms.

        Raises:
            ValueError: As in `simulate`, or if the stimulus is in voltage clamp.
        """
        if stimulus is None:
            stimulus = Stimulus("current", (Epoch(0.0, duration / 2), Epoch(0.0, duration / 2)))
        if stimulus.clamp != "current":
            raise ValueError("Stimulus is in voltage clamp, current clamp was wanted: a held cell has no rhythm.")
        theta = self.checked(theta, stimulus, 1.0)
        found = watch(self._prepare(theta, stimulus, rng), rng)
        triphasic = found[:, -2] >= TRIPHASIC
        return Rhythm(found[:, : len(STATISTICS)], triphasic, triphasic & (found[:, -1] >= PYLORIC))

    def _simulate(
        self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rate: float, rng: np.random.Generator
    ) -> npt.NDArray[np.float64]:
        answers = record(self._prepare(theta, stimulus, rng), rate, len(stimulus.command(rate)), rng)
        return answers[:, self.site].astype(np.float64)

    def _prepare(self, theta: npt.NDArray[np.float64], stimulus: Stimulus, rng: np.random.Generator) -> Preparation:
        """Lay networks out as they start."""
        b, e = len(theta), len(stimulus.epochs)
        courses = self.courses(theta, stimulus)
        electrodes, levels, pipette = self._impaled(stimulus, b, rng)
        return Preparation(
            conductances=courses[:, :, :24].reshape(b, e, 3, 8),
            synapses=courses[:, :, 24:],
            ends=np.cumsum([epoch.duration for epoch in stimulus.epochs]),
            levels=levels,
            electrodes=electrodes,
            pipette=pipette,
            site=self.site,
            voltages=np.full((b, 3), -50.0),
            calcium=np.full((b, 3), 0.05),
            gates=np.zeros((b, 3, SLOTS)),
            before=self.settling,
            temperature=self.temperature,
            noise=self.noise,
        )
