"""This file is the drug score: what was recorded under a virtual drug, held against what was predicted of it.

Three predictions are scored by the CRPS of every feature in units of the yardstick: the posterior's, the prior's, and
that nothing changes. The distance of the change from the posterior's prediction is ranked among those of the
posterior's own draws, so that features that go together do not count twice. A change put upon the control is predicted
well of many cells that are not the model; those show in the experiment as a whole, as its strangeness. Where the
control does not return, the cell itself has changed and nothing is concluded.

References:
    Gneiting & Raftery (2007), J. Am. Stat. Assoc. 102, 359-378. https://doi.org/10.1198/016214506000001437
    Gelman, Meng & Stern (1996), Stat. Sin. 6, 733-760, for the rank among the posterior's own draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from estimators.drug_forecast import JUDGED, DrugForecast, averaged
from estimators.features import FEATURES, NAMES
from estimators.yardstick import COUNTS

__all__ = ["CONTRADICTED", "RETURN", "STRANGE", "DrugScore", "Return", "Verdict", "returned", "score"]

Array = npt.NDArray[np.float64]

Verdict = Literal["confirmed", "contradicted", "not decided", "cell changed"]

CONTRADICTED = 0.05
"""A drug whose p-value is not above this contradicts the posterior."""

STRANGE = 1.2
"""Strangeness that about one in twenty cells of the model without an error exceeds, with three steps each: of 54 cells
one in twenty lay beyond 1.0, of 43 others beyond 1.4."""

RETURN = 0.1
"""How far the control after may lie from that before, as a share of it."""

_HALF = 0.5
_FARTHEST = 8.0
_FLOOR = np.where(np.isin(np.arange(len(NAMES)), COUNTS), 0.12, 0.01)
_TIED = 1e-6
_SKILL = 0.1
_TAIL = 0.05
_REST, _RESISTANCE, _COUNT = (NAMES.index(name) for name in ("rest", "input_resistance", "spike_count"))


@dataclass(frozen=True)
class Return:
    """Whether one thing came back under control.

    Args:
        name: Feature.
        unit: Of the numbers.
        before: Mean of the control before; of a count, all spikes of the family.
        after: Of the control after.
        limit: How far they may lie apart.
    """

    name: str
    unit: str
    before: float
    after: float
    limit: float

    @property
    def is_back(self) -> bool:
        """Whether it lies within the limit; what was missing before has to be missing after."""
        if not (np.isfinite(self.before) and np.isfinite(self.after)):
            return bool(np.isfinite(self.before) == np.isfinite(self.after))
        return abs(self.after - self.before) <= self.limit


@dataclass(frozen=True)
class DrugScore:
    """What came of it.

    Args:
        verdict: In a word.
        sentence: The verdict with its numbers and, where nothing is concluded, the remedy.
        p: Share of the posterior's own draws that lie as far from its prediction as the recording, 0 to 1.
        misfit: That distance, mean square in predicted half-widths.
        strangeness: The same of the whole experiment, controls and drug, from cells of the model without any error of
            it: large for a cell that is not the model, though the posterior may have granted that error, and though
            the change under the drug is as it was predicted. `STRANGE` is that of one sound cell in twenty.
        scores: Mean CRPS of "posterior", "prior" and "no change", in units of the yardstick; less is better. NaN where
            no feature can be compared.
        inside: For each sweep and feature that was compared, its name and whether it lies in 90 % of the posterior's.
        returns: Rest, input resistance and spike count under both controls.
        worst: Features that lie farthest off, at most three, with their sweep, as clauses.
    """

    verdict: Verdict
    sentence: str
    p: float
    misfit: float
    strangeness: float
    scores: dict[str, float]
    inside: tuple[tuple[int, str, bool], ...]
    returns: tuple[Return, ...]
    worst: tuple[str, ...]

    @property
    def is_strange(self) -> bool:
        """Whether the cell is no cell of the model, whatever became of the prediction."""
        return self.strangeness > STRANGE

    @property
    def coverage(self) -> float:
        """Share of what was compared that lies in the posterior's 90 %, NaN without any."""
        return float(np.mean([within for _, _, within in self.inside])) if self.inside else float("nan")


def returned(before: Array, after: Array) -> tuple[Return, ...]:
    """Compare two controls.

    Args:
        before: Features, shape (sweeps, f), NaN where missing.
        after: The same sweeps again.

    Returns:
        Rest, input resistance, both as means over the sweeps that have them twice, and the spikes of all together.
    """
    found = []
    for k in (_REST, _RESISTANCE):
        both = np.isfinite(before[:, k]) & np.isfinite(after[:, k])
        # A feature that is in no sweep twice, though it is in each control, has not returned.
        pair = [values[both, k].mean() if both.any() else _mean(values[:, k]) for values in (before, after)]
        limit = RETURN * abs(pair[0])
        found.append(Return(NAMES[k], FEATURES[k].unit, float(pair[0]), float(pair[1]), float(limit)))
    spikes = [float(np.nansum(values[:, _COUNT])) for values in (before, after)]
    found.append(Return(NAMES[_COUNT], "1", spikes[0], spikes[1], max(1.0, RETURN * spikes[0])))
    return tuple(found)


def score(forecast: DrugForecast, before: Array, drug: Array, after: Array, rng: np.random.Generator) -> DrugScore:
    """Score a recording.

    Args:
        forecast: Made before the drug, of as many sweeps.
        before: Features under control, shape (sweeps, f), NaN where missing.
        drug: Under the drug.
        after: Under control again.
        rng: Source of what breaks ties between counts.

    Returns:
        The score.

    Raises:
        ValueError: If there are other numbers of sweeps.
    """
    wanted = (len(forecast.contexts), len(NAMES))
    for name, table in (("before", before), ("drug", drug), ("after", after)):
        if table.shape != wanted:
            raise ValueError(f"The sweeps of '{name}' have shape {table.shape}, {wanted} was wanted.")
    along = forecast.yardstick.along
    there = averaged(along(before), along(after))
    predicted = {
        "posterior": forecast.under(there),
        "prior": forecast.under(there, prior=True),
        "no change": forecast.unchanged(before, after),
    }
    measured = along(drug)
    compared = np.isfinite(measured) & JUDGED
    for draws in predicted.values():
        compared &= _there(draws)
    scores = {name: _crps(draws, measured, compared) for name, draws in predicted.items()}
    # The rank is that of all that the posterior can say, whether or not the other two have it.
    judged = np.isfinite(measured) & JUDGED & _there(predicted["posterior"])
    misfit, p, distances = _ranked(predicted["posterior"], measured, judged)
    inside = _inside(predicted["posterior"], measured, judged, rng)
    plain, both = forecast.whole(), np.concatenate([there, measured])
    strangeness = _ranked(plain, both, np.isfinite(both) & JUDGED & _there(plain))[0]
    returns = returned(before, after)
    worst = _worst(forecast, predicted["posterior"], drug, distances)
    verdict, sentence = _verdict(forecast, returns, p, scores, worst)
    if verdict == "confirmed" and strangeness > STRANGE:
        sentence = (
            f"{sentence} Yet it is no cell of the model: controls and drug together lie {strangeness:.2g} from what "
            f"such cells do, one in twenty lies beyond {STRANGE:g}; take its conductances for effective ones."
        )
    return DrugScore(verdict, sentence, p, misfit, strangeness, scores, inside, returns, worst)


def _verdict(
    forecast: DrugForecast, returns: tuple[Return, ...], p: float, scores: dict[str, float], worst: tuple[str, ...]
) -> tuple[Verdict, str]:
    """Conclude, in a sentence."""
    words = forecast.drug.words
    lost = [one for one in returns if not one.is_back]
    if lost:
        said = "; ".join(
            f"{one.name.replace('_', ' ')} was {one.before:.4g} and is {one.after:.4g}"
            + (f" {one.unit}" if one.unit != "1" else "")
            for one in lost
        )
        return "cell changed", (
            f"The control did not return to within {100 * RETURN:.0f} % ({said}): the cell has changed, and nothing is "
            "concluded; wait until it is steady, and begin anew."
        )
    if not np.isfinite(scores["posterior"]):
        return "not decided", (
            f"No feature under {words} can be compared with what was predicted, so nothing is decided: play steps that "
            "the cell answers with and without it."
        )
    ours, theirs, nothing = (scores[name] for name in ("posterior", "prior", "no change"))
    told = f"CRPS {ours:.3g}, prior {theirs:.3g}, no change {nothing:.3g}; p = {p:.2g}"
    if p <= CONTRADICTED:
        off = f": {worst[0]}" if worst else ""
        return "contradicted", f"The cell under {words} is not what the posterior predicted{off} ({told})."
    if ours <= (1.0 - _SKILL) * min(theirs, nothing):
        return "confirmed", f"The cell under {words} is what the posterior predicted ({told})."
    better = "no change" if nothing <= theirs else "the prior"
    return "not decided", (
        f"The cell under {words} fits the posterior, but {better} predicts it about as well ({told}): take a larger "
        "factor, or steps on which the conductance acts."
    )


def _there(draws: Array) -> npt.NDArray[np.bool_]:
    """Tell which features most draws have."""
    return np.asarray(np.isfinite(draws).mean(axis=0) >= _HALF)


def _crps(draws: Array, measured: Array, compared: npt.NDArray[np.bool_]) -> float:
    """Average the CRPS over what is compared; a draw that lacks a feature says nothing of it."""
    found = []
    for place in np.argwhere(compared):
        column = np.sort(draws[:, place[0], place[1]])
        column = column[np.isfinite(column)]
        n = len(column)
        apart = 2.0 * column @ (2.0 * np.arange(1, n + 1) - n - 1.0) / n**2
        found.append(np.abs(column - measured[tuple(place)]).mean() - 0.5 * apart)
    return float(np.mean(found)) if found else float("nan")


def _ranked(draws: Array, measured: Array, judged: npt.NDArray[np.bool_]) -> tuple[float, float, Array]:
    """Give the mean square distance, its rank among those of the draws, and each feature's distance."""
    if not judged.any():
        return 0.0, 1.0, np.full(measured.shape, np.nan)
    low, middle, high = np.full((3, *measured.shape), np.nan)
    low[judged], middle[judged], high[judged] = np.nanquantile(draws[:, judged], [0.16, 0.5, 0.84], axis=0)

    def distances(values: Array) -> Array:
        width = np.where(values < middle, middle - low, high - middle) + _FLOOR
        return np.asarray(np.clip((values - middle) / width, -_FARTHEST, _FARTHEST))

    ours = distances(measured)
    squares = distances(draws)[:, judged] ** 2
    count = np.isfinite(squares).sum(axis=1)
    # A draw that has nothing of what is judged is no reason to call the recording near.
    each = np.where(count > 0, np.nansum(squares, axis=1) / np.maximum(count, 1), -np.inf)
    misfit = float((ours[judged] ** 2).mean())
    return misfit, float((1 + (each >= misfit).sum()) / (1 + len(each))), ours


def _inside(
    draws: Array, measured: Array, judged: npt.NDArray[np.bool_], rng: np.random.Generator
) -> tuple[tuple[int, str, bool], ...]:
    """Tell what lies in 90 %; where draws are tied with the recording, as counts are, chance tells on which side."""
    found = []
    for sweep, k in np.argwhere(judged):
        column = draws[:, sweep, k]
        column = column[np.isfinite(column)]
        tied = np.abs(column - measured[sweep, k]) < _TIED
        below = (column < measured[sweep, k]) & ~tied
        rank = (below.sum() + rng.random() * (tied.sum() + 1)) / (len(column) + 1)
        found.append((int(sweep), NAMES[k], bool(_TAIL < rank < 1.0 - _TAIL)))
    return tuple(found)


def _worst(forecast: DrugForecast, draws: Array, drug: Array, distances: Array) -> tuple[str, ...]:
    """Say what lies farthest off, at most three features."""
    found = []
    for place in np.argsort(-np.abs(np.nan_to_num(distances)), axis=None)[:3]:
        sweep, k = np.unravel_index(place, distances.shape)
        if not abs(np.nan_to_num(distances[sweep, k])) > 2.0:
            break
        predicted = np.zeros((3, len(NAMES)))
        predicted[:, k] = np.nanquantile(draws[:, sweep, k], [_TAIL, 0.5, 1.0 - _TAIL])
        low, median, high = forecast.yardstick.back(predicted)[:, k]
        step = forecast.contexts[sweep].amplitude
        found.append(
            f"{FEATURES[k].told(float(drug[sweep, k]))} at {step:+.4g} pA where {median:.3g} ({low:.3g} to {high:.3g}) "
            "was predicted"
        )
    return tuple(found)


def _mean(values: Array) -> float:
    """Give the mean of what is there, NaN of nothing."""
    there = values[np.isfinite(values)]
    return float(there.mean()) if there.size else float("nan")
