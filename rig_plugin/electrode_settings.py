"""This file is the electrode's settings: the table [electrode] of a rig file, what a simulated cell is seen through."""

from __future__ import annotations

from dataclasses import dataclass, fields

from rig_plugin.toml_table import key
from simulators.electrode import Electrode

__all__ = ["ElectrodeSettings"]


@dataclass(frozen=True)
class ElectrodeSettings:
    """Table [electrode]: pipette, amplifier and digitizer of a simulated cell; bridge and offset stand in [cell].

    What is in mV acts in current clamp, what is in pA in voltage clamp, and the rest in both.

    Args:
        series: Series resistance before compensation [MOhm]; in current clamp it shows by the capacitance only.
        capacitance: What the neutralization leaves of the pipette's [pF]; 0 is none.
        junction: Junction potential, told with every sweep, so that it is subtracted again [mV].
        corner: Corner of the amplifier's low-pass [kHz].
        white: White noise behind it [mV rms].
        flicker: 1/f noise between 1 Hz and 1 kHz [mV rms].
        hum: Amplitude of the mains hum [mV].
        drift: Slope within a sweep, which starts anew with each [mV/s].
        adc_range: Largest magnitude that the digitizer takes [mV]; 0 takes all.
        adc_step: From one of its codes to the next [mV]; 0 rounds nothing.
        white_current: White noise in voltage clamp [pA rms].
        flicker_current: 1/f noise between 1 Hz and 1 kHz in voltage clamp [pA rms].
        hum_current: Amplitude of the mains hum in voltage clamp [pA].
        drift_current: Slope within a sweep in voltage clamp [pA/s].
        adc_range_current: Largest magnitude that the digitizer takes in voltage clamp [pA]; 0 takes all.
        adc_step_current: From one of its codes to the next in voltage clamp [pA]; 0 rounds nothing.
        hum_frequency: Of the hum in both clamps [Hz].
        rest_drift: Shift of E_leak from sweep to sweep [mV/min].
    """

    series: float = key(10.0, "series_MOhm", low=0.1, high=200.0)
    capacitance: float = key(0.0, "capacitance_pF", low=0.0, high=50.0)
    junction: float = key(0.0, "junction_mV", low=-50.0, high=50.0)
    corner: float = key(6.0, "corner_kHz", low=1.0, high=16.0)
    white: float = key(0.05, "white_mV", low=0.0, high=10.0)
    flicker: float = key(0.0, "flicker_mV", low=0.0, high=10.0)
    hum: float = key(0.0, "hum_mV", low=0.0, high=10.0)
    drift: float = key(0.0, "drift_mV_per_s", low=-10.0, high=10.0)
    adc_range: float = key(0.0, "adc_range_mV", low=0.0, high=10_000.0)
    adc_step: float = key(0.0, "adc_step_mV", low=0.0, high=10.0)
    white_current: float = key(2.0, "white_pA", low=0.0, high=1000.0)
    flicker_current: float = key(0.0, "flicker_pA", low=0.0, high=1000.0)
    hum_current: float = key(0.0, "hum_pA", low=0.0, high=1000.0)
    drift_current: float = key(0.0, "drift_pA_per_s", low=-1000.0, high=1000.0)
    adc_range_current: float = key(0.0, "adc_range_pA", low=0.0, high=1e6)
    adc_step_current: float = key(0.0, "adc_step_pA", low=0.0, high=1000.0)
    hum_frequency: float = key(50.0, "hum_Hz", low=10.0, high=1000.0)
    rest_drift: float = key(0.0, "rest_drift_mV_per_min", low=-10.0, high=10.0)

    def electrode(self) -> Electrode:
        """Make the simulator's electrode.

        Returns:
            It, with all that is set here but the drift from sweep to sweep, which is the cell's.
        """
        knobs = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name != "rest_drift"}
        return Electrode(**knobs)
