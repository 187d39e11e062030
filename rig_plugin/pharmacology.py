"""This file is virtual pharmacology: a family under control, under a drug that the posterior made, and again without.

The drug is made and predicted when the first control is over, from all sweeps so far; nothing that is recorded under it
changes the prediction. The clamp acts only while a sweep is played under the drug.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from estimators.checkpoint import Checkpoint
from estimators.context import Context
from estimators.drug_forecast import DrugForecast
from estimators.drug_score import DrugScore, score
from estimators.features import NAMES
from estimators.virtual_drug import Clamp, DrugError, VirtualDrug, prescribe
from hardware.dynamic_clamp import Conductance, DynamicClamp
from rig_plugin.crop import crop
from rig_plugin.dosing import PHASES
from rig_plugin.protocol import Request
from rig_plugin.trial import Trial
from simulators.stimulus import Dose, Stimulus

__all__ = ["Pharmacology", "injected", "table_of"]

Told = Callable[[DrugForecast | DrugScore | DrugError], None]
"""Is given the forecast before the first sweep under the drug, then the score; or why there is no drug."""

_Play = Generator[Request, Trial | None, list[Trial]]


@dataclass(frozen=True, eq=False)
class Pharmacology:
    """One experiment; its `protocol` is what a session plays.

    Args:
        checkpoint: The network that the session infers with.
        stimuli: Steps that are played in each phase, in order.
        conductance: That the drug acts on.
        factor: What is added, in multiples of the cell's own; -0.8 takes four fifths away.
        told: Hears what is predicted and what came of it, on the session's thread.
        clamp: What the rig's dynamic clamp can do, and how late it is.
        seed: The same sweeps and seed give the same numbers.
    """

    checkpoint: Checkpoint
    stimuli: Sequence[Stimulus]
    conductance: str
    factor: float
    told: Told
    clamp: Clamp = Clamp()
    seed: int = 0

    def protocol(self) -> Generator[Request, Trial | None, None]:
        """Play control, drug and control; where there can be no drug, only the first.

        Yields:
            One request a sweep.
        """
        try:
            before = yield from self._phase(0)
            drug = self._prescribed(before[-1])
            forecast = DrugForecast(
                self.checkpoint, _draws(before[-1]), drug, [_context(trial) for trial in before], self.seed
            )
            forecast.check()
            self.told(forecast)
            under = yield from self._phase(1, drug)
            after = yield from self._phase(2)
        except DrugError as error:
            self.told(error)
            return
        rng = np.random.default_rng([self.seed, 23])
        self.told(score(forecast, table_of(before), table_of(under), table_of(after), rng))

    def _prescribed(self, last: Trial) -> VirtualDrug:
        trust = last.trust
        distrust = None if trust.in_distribution else (trust.reason or "the last sweep of the control is not used")
        draws = None if last.posterior is None else last.posterior.draws
        return prescribe(self.checkpoint.spec, draws, self.conductance, self.factor, self.clamp, distrust)

    def _phase(self, number: int, drug: VirtualDrug | None = None) -> _Play:
        """Play the family once; what is passed over ends the experiment, for phases are compared sweep by sweep."""
        trials: list[Trial] = []
        count = len(self.stimuli)
        clamp = None if drug is None else injected(drug)
        doses = () if drug is None else (Dose(drug.conductance, 1.0, drug.added),)
        for k, stimulus in enumerate(self.stimuli):
            place = number * count + k
            following = self.stimuli[(k + 1) % count] if place + 1 < 3 * count else None
            request = Request(
                stimulus, place=place, count=3 * count, following=following, clamp=clamp, doses=doses,
                phase=PHASES[number],
            )  # fmt: skip
            trial = yield request
            if trial is None or trial.sweep is None:
                raise DrugError(
                    f"Sweep {k + 1} of the phase '{PHASES[number]}' was passed over and the phases are compared sweep "
                    "by sweep, so the experiment ends here: begin it anew."
                )
            if trial.sweep.response.size < stimulus.samples(trial.sweep.rate):
                raise DrugError(
                    f"Sweep {k + 1} of the phase '{PHASES[number]}' was broken off to keep the cell safe, so the "
                    "experiment ends here, with the clamp off: choose a smaller factor, or smaller steps."
                )
            trials.append(trial)
        if not trials:
            raise DrugError("There is no step to play under the drug; one at least was wanted.")
        return trials


def injected(drug: VirtualDrug) -> DynamicClamp:
    """Lay a drug out as a rig's dynamic clamp takes it.

    Args:
        drug: Which.

    Returns:
        The clamp, of one conductance.
    """
    fixed = drug.injected
    return DynamicClamp((Conductance(drug.conductance, fixed.gates, fixed.reversal, fixed.maximum),), fixed.clip)


def table_of(trials: Sequence[Trial]) -> npt.NDArray[np.float64]:
    """Lay the features of trials out.

    Args:
        trials: In order.

    Returns:
        Shape (trials, f), NaN where missing.
    """
    return np.array([[trial.features[name] for name in NAMES] for trial in trials], dtype=np.float64)


def _draws(trial: Trial) -> npt.NDArray[np.float64]:
    return np.empty((0, 0)) if trial.posterior is None else trial.posterior.draws


def _context(trial: Trial) -> Context:
    """Say how a sweep was made, with what its baseline was cropped by: the clamp acts from its start."""
    if trial.sweep is None or trial.sweep.stimulus is None:
        raise DrugError("The rig did not say what it played, so nothing can be predicted: use one that does.")
    part = crop(trial.sweep.stimulus, None)
    context = part.context(trial.sweep.rate)
    if part.history is not None or not part.skip:
        return context
    return replace(context, history_duration=part.skip, history_gap=context.baseline)
