"""This file is the electrode: what stands between a membrane and the numbers on disk, the same for every cell."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace

import numpy as np
import numpy.typing as npt

__all__ = ["IDEAL", "KNOBS", "TWO_ELECTRODES", "Electrode"]

KNOBS = (
    "bridge",
    "offset",
    "corner",
    "white",
    "hum",
    "hum_frequency",
    "hum_phase",
    "drift",
    "series",
    "capacitance",
    "flicker",
    "junction",
    "adc_range",
    "adc_step",
)
"""Columns of what kernels take: bridge error [MOhm], offset [mV], corner of the low-pass [kHz], white noise behind it
[mV rms], amplitude of the hum [mV], its frequency [Hz] and phase [rad], drift [mV/s]; series resistance before
compensation [MOhm] and capacitance [pF] of the pipette, 1/f noise between 1 Hz and 1 kHz [mV rms], junction potential,
which is to be subtracted from what is reported [mV], largest magnitude that the digitizer takes and its step [mV].
All of them are off at 0. In voltage clamp what is seen is a current, and what is in mV here is in pA; there offset and
junction potential are in the command, and the bridge has no part."""

_SEEN = ("white", "hum", "drift", "flicker", "adc_range", "adc_step")


def _in(unit: str, low: float, high: float) -> dict[str, str | float]:
    """Name a knob's unit and bounds."""
    return {"unit": unit, "low": low, "high": high}


@dataclass(frozen=True)
class Electrode:
    """Pipette, amplifier and digitizer, with the knobs of both clamps; a knob at 0 is off.

    What adds to the answer, or cuts it, has a knob for each clamp: the one in current clamp is in mV, and the one whose
    name ends in `current` acts in voltage clamp and is in pA. A cell that has a bridge error and an offset among its
    own parameters adds them to those here.

    Args:
        series: Series resistance [MOhm]. In voltage clamp all current flows through it, and nothing compensates it; in
            current clamp it shows by the pipette's capacitance only, and by what `bridge` leaves of it.
        capacitance: Of the pipette, less what is neutralized [pF]. In current clamp the pipette charges through the
            series resistance; in voltage clamp each jump of the command sends its charge through the amplifier.
        bridge: Error of the bridge balance [MOhm]; none in voltage clamp.
        offset: Of the amplifier [mV]: added to the voltage, subtracted from a command.
        junction: Junction potential, which is to be subtracted from what is reported [mV]: the same.
        corner: Of the four-pole Bessel low-pass [kHz].
        white: White noise behind it [mV rms]; without a low-pass it has the bandwidth of the integration.
        flicker: 1/f noise between 1 Hz and 1 kHz [mV rms].
        hum: Amplitude of the mains hum [mV].
        drift: Slope within a sweep [mV/s].
        adc_range: Largest magnitude that the digitizer takes [mV].
        adc_step: From one of its codes to the next [mV].
        white_current: White noise in voltage clamp [pA rms].
        flicker_current: 1/f noise between 1 Hz and 1 kHz in voltage clamp [pA rms].
        hum_current: Amplitude of the mains hum in voltage clamp [pA].
        drift_current: Slope within a sweep in voltage clamp [pA/s].
        adc_range_current: Largest magnitude that the digitizer takes in voltage clamp [pA].
        adc_step_current: From one of its codes to the next in voltage clamp [pA].
        hum_frequency: Of the hum in both clamps [Hz].
        hum_phase: Where the mains stand when a sweep starts [rad], or None to draw it for each cell.

    Raises:
        ValueError: If a knob is not finite or leaves its bounds.

    Example:
        >>> Electrode(flicker=-1.0)
        Traceback (most recent call last):
        ValueError: Knob flicker of the electrode is -1 mV rms, 0 to 10 mV rms was wanted.
    """

    series: float = field(default=10.0, metadata=_in("MOhm", 1e-4, 1000.0))
    capacitance: float = field(default=0.0, metadata=_in("pF", 0.0, 50.0))
    bridge: float = field(default=0.0, metadata=_in("MOhm", -1000.0, 1000.0))
    offset: float = field(default=0.0, metadata=_in("mV", -100.0, 100.0))
    junction: float = field(default=0.0, metadata=_in("mV", -50.0, 50.0))
    corner: float = field(default=6.0, metadata=_in("kHz", 1.0, 16.0))
    white: float = field(default=0.05, metadata=_in("mV rms", 0.0, 10.0))
    flicker: float = field(default=0.0, metadata=_in("mV rms", 0.0, 10.0))
    hum: float = field(default=0.0, metadata=_in("mV", 0.0, 10.0))
    drift: float = field(default=0.0, metadata=_in("mV/s", -10.0, 10.0))
    adc_range: float = field(default=0.0, metadata=_in("mV", 0.0, 10_000.0))
    adc_step: float = field(default=0.0, metadata=_in("mV", 0.0, 10.0))
    white_current: float = field(default=2.0, metadata=_in("pA rms", 0.0, 1000.0))
    flicker_current: float = field(default=0.0, metadata=_in("pA rms", 0.0, 1000.0))
    hum_current: float = field(default=0.0, metadata=_in("pA", 0.0, 1000.0))
    drift_current: float = field(default=0.0, metadata=_in("pA/s", -1000.0, 1000.0))
    adc_range_current: float = field(default=0.0, metadata=_in("pA", 0.0, 1e6))
    adc_step_current: float = field(default=0.0, metadata=_in("pA", 0.0, 1000.0))
    hum_frequency: float = field(default=50.0, metadata=_in("Hz", 10.0, 1000.0))
    hum_phase: float | None = field(default=None, metadata=_in("rad", -1000.0, 1000.0))

    def __post_init__(self) -> None:
        for entry in fields(self):
            value, unit = getattr(self, entry.name), entry.metadata["unit"]
            low, high = entry.metadata["low"], entry.metadata["high"]
            if value is None and entry.default is None:
                continue
            # Only the corner has a gap between off and its bounds.
            if not (math.isfinite(value) and (low <= value <= high or (entry.name == "corner" and value == 0.0))):
                wanted = f"{low:g} to {high:g} {unit}" + (", or 0 for none," if entry.name == "corner" else "")
                raise ValueError(f"Knob {entry.name} of the electrode is {value:g} {unit}, {wanted} was wanted.")

    def rows(
        self,
        clamped: bool,
        count: int,
        rng: np.random.Generator,
        bridge: npt.NDArray[np.float64] | float = 0.0,
        offset: npt.NDArray[np.float64] | float = 0.0,
    ) -> npt.NDArray[np.float64]:
        """Lay the knobs that act in a clamp out as kernels take them.

        Args:
            clamped: Whether the cells are in voltage clamp.
            count: How many cells.
            rng: Source of the phases of a hum; nothing is drawn from it without one.
            bridge: The cells' own bridge errors, shape (count,) [MOhm].
            offset: The cells' own offsets, shape (count,) [mV].

        Returns:
            Shape (count, knobs), in the order of `KNOBS`.
        """
        out = np.zeros((count, len(KNOBS)))
        for k, name in enumerate(KNOBS):
            out[:, k] = getattr(self, f"{name}_current" if clamped and name in _SEEN else name) or 0.0
        if out[:, KNOBS.index("hum")].any() and self.hum_phase is None:
            # The mains do not wait for a sweep.
            out[:, KNOBS.index("hum_phase")] = rng.uniform(0.0, 2.0 * np.pi, count)
        if clamped:
            out[:, [KNOBS.index(name) for name in ("bridge", "offset", "junction")]] = 0.0
        else:
            out[:, KNOBS.index("bridge")] += bridge
            out[:, KNOBS.index("offset")] += offset
        return out

    def leaves_alone(self, clamped: bool) -> bool:
        """Tell whether what there is to see is what is recorded.

        Args:
            clamped: Whether the cells are in voltage clamp, where this is the current through the series resistance.

        Returns:
            True where no knob changes an answer.
        """
        row = self.rows(clamped, 1, np.random.default_rng(0))[0]
        return not any(row[k] for k, name in enumerate(KNOBS) if name not in ("hum_frequency", "hum_phase", "series"))

    def levels(
        self,
        commands: npt.NDArray[np.float64],
        clamped: bool,
        count: int,
        offset: npt.NDArray[np.float64] | float = 0.0,
    ) -> npt.NDArray[np.float64]:
        """Tell what reaches the pipettes of a command.

        Args:
            commands: In each epoch, shape (e,) [pA or mV].
            clamped: Whether it is a voltage.
            count: How many cells.
            offset: The cells' own offsets, shape (count,) [mV].

        Returns:
            Shape (count, e): a current as it is [pA], a voltage less offset and junction potential [mV].
        """
        shift = self.offset + self.junction + np.broadcast_to(offset, count) if clamped else np.zeros(count)
        return np.asarray(commands - shift[:, None])


IDEAL = Electrode(corner=0.0, white=0.0, white_current=0.0)
"""Nothing but a series resistance: the membrane's voltage itself, and in voltage clamp the current as it flows."""

TWO_ELECTRODES = replace(IDEAL, series=1e-3)
"""One electrode reads the voltage and another passes the current, of which 0.001 MOhm lose next to nothing; through so
little, what a float32 resolves of a voltage is 4 pA."""
