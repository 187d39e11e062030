"""This file is the catalogue of features: the name, unit and definition of every number that is read off a sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["FEATURES", "MEANINGS", "NAMES", "Feature"]


@dataclass(frozen=True)
class Feature:
    """One number of a sweep, NaN where the sweep does not have it.

    Args:
        name: Snake case.
        unit: As it is shown; "1" for a pure number.
        meaning: The definition, one sentence for the tooltip.
        spread: "linear", or "log" where a network sees the logarithm of 1 + the value.
    """

    name: str
    unit: str
    meaning: str
    spread: Literal["linear", "log"] = "linear"

    @property
    def words(self) -> str:
        """The name as a sentence has it."""
        return self.name.replace("_", " ")

    def told(self, value: float) -> str:
        """Write a value with its name and unit.

        Args:
            value: In that unit.

        Returns:
            Three digits of it.

        Example:
            >>> FEATURES[1].told(0.0305), Feature("spike_count", "1", "Spikes.").told(9.0)
            ('rest noise is 0.0305 mV', 'spike count is 9')
        """
        return f"{self.words} is {value:.3g} {self.unit}".removesuffix(" 1")


FEATURES: tuple[Feature, ...] = (
    Feature("rest", "mV", "Mean of the last 50 ms before the step, without 2 ms before and 20 ms after a spike."),
    Feature("rest_noise", "mV", "Standard deviation of the last 50 ms before the step about a straight line.", "log"),
    Feature("rest_noise_fast", "mV", "Root mean square of changes over 0.2 ms before the step, over sqrt(2).", "log"),
    Feature("rest_slope", "mV/s", "Slope of a straight line through the constant current before the step."),
    Feature("spikes_before", "1", "Spikes during the constant current before the step.", "log"),
    Feature("onset_jump", "mV", "Mean of 0.25-0.5 ms after the onset, less the mean of the last millisecond before."),
    Feature("onset_slope", "mV/ms", "Slope of a straight line from 0.5 to 5 ms after the onset; no spike until then."),
    Feature("deflection_1_ms", "mV", "Mean of 0.8-1.2 ms after the onset less the rest; no spike until then."),
    Feature("deflection_3_ms", "mV", "Mean of 2.4-3.6 ms after the onset less the rest; no spike until then."),
    Feature("deflection_10_ms", "mV", "Mean of 8-12 ms after the onset less the rest; no spike until then."),
    Feature("deflection_30_ms", "mV", "Mean of 24-36 ms after the onset less the rest; no spike until then."),
    Feature("deflection_100_ms", "mV", "Mean of 80-120 ms after the onset less the rest; no spike until then."),
    Feature("charging_time", "ms", "Time to 63.2 % of the steady deflection, of a step without spikes.", "log"),
    Feature("steady_deflection", "mV", "Mean of the last fifth of the step less the rest; no spike there."),
    Feature("input_resistance", "MOhm", "Steady deflection over step, for steps without spikes of 5 pA or more."),
    Feature("sag", "mV", "How far the voltage falls back from its extreme (5 ms means) to the steady deflection."),
    Feature("rebound", "mV", "Largest excursion against the step in the 150 ms after it (5 ms means), off the rest."),
    Feature("rebound_spikes", "1", "Spikes after the step, in the tail that was kept.", "log"),
    Feature("spike_count", "1", "Spikes whose peak lies in the step.", "log"),
    Feature("late_count", "1", "Spikes during the second half of the step.", "log"),
    Feature("latency", "ms", "Time from the onset to the first spike's threshold.", "log"),
    Feature("first_isi", "ms", "Time between the first two thresholds.", "log"),
    Feature("second_isi", "ms", "Time between the second and third threshold.", "log"),
    Feature("last_isi", "ms", "Time between the last two thresholds.", "log"),
    Feature("isi_cv", "1", "Standard deviation over mean of all intervals, two or more.", "log"),
    Feature("adaptation", "1", "Mean of (next - this)/(next + this) over pairs of neighbouring intervals."),
    Feature("threshold", "mV", "First spike: voltage where its slope last rose through 10 mV/ms."),
    Feature("peak", "mV", "First spike: highest voltage."),
    Feature("upstroke", "mV/ms", "First spike: steepest rise.", "log"),
    Feature("downstroke", "mV/ms", "First spike: steepest fall (negative)."),
    Feature("half_width", "ms", "First spike: width half-way between threshold and peak.", "log"),
    Feature("trough", "mV", "First spike: lowest voltage before the next spike, at most 60 ms after the peak."),
    Feature("trough_delay", "ms", "First spike: time from peak to trough.", "log"),
    Feature("later_threshold", "mV", "Mean threshold of all spikes in the step but the first."),
    Feature("later_peak", "mV", "Mean peak of all spikes in the step but the first."),
    Feature("later_upstroke", "mV/ms", "Mean upstroke of all spikes in the step but the first.", "log"),
    Feature("later_half_width", "ms", "Mean half-width of all spikes in the step but the first.", "log"),
    Feature("later_trough", "mV", "Mean trough of all spikes in the step but the first."),
    Feature("threshold_change", "mV", "Last spike's threshold less the first's."),
    Feature("peak_change", "mV", "Last spike's peak less the first's."),
    Feature("half_width_change", "ms", "Last spike's half-width less the first's."),
    Feature("trough_change", "mV", "Last trough less the first."),
    Feature("mean_voltage", "mV", "Mean during the step."),
    Feature("voltage_sd", "mV", "Standard deviation during the step.", "log"),
    Feature("voltage_skewness", "1", "Third standardized moment during the step."),
    Feature("voltage_kurtosis", "1", "Fourth standardized moment during the step (3 for a normal).", "log"),
    Feature("end_jump", "mV", "Mean of 0.25-0.5 ms after the step's end less the mean of its last millisecond."),
    Feature("end_slope", "mV/ms", "Slope from 0.5 to 5 ms after the step's end; no spike within 5 ms of it."),
    Feature("after_30_ms", "mV", "Mean of 20-40 ms after the step less the rest; no spike after it until then."),
    Feature("after_100_ms", "mV", "Mean of 80-120 ms after the step less the rest; no spike after it until then."),
    Feature("after_250_ms", "mV", "Mean of 220-280 ms after the step less the rest; no spike after it until then."),
)
"""In the order of the columns that `estimators.measuring.measure` fills."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)

MEANINGS: dict[str, str] = {
    feature.name: feature.meaning + (f" [{feature.unit}]" if feature.unit != "1" else "") for feature in FEATURES
}
"""Definition and unit of each feature, as a file says it."""
