"""This file is the replay settings: which recording is gone through, and what is known of it that it does not say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rig_plugin.quality_settings import QualitySettings

__all__ = ["ReplaySettings"]


@dataclass(frozen=True)
class ReplaySettings:
    """One recording and how to read it; plain data, so that it can be handed to another process.

    Args:
        file: The recording.
        network: A checkpoint; None takes the one that ships.
        sweep: The only sweep to take, from 0; None takes all.
        epoch: The current epoch to observe, from 0; None lets the reader choose.
        junction_potential: What has to be subtracted from the voltage; None where it is not known [mV].
        bridge: Series resistance still in the voltage; None where it is not known [GOhm].
        channel: Number or name of the voltage's channel; None lets the reader choose.
        current_channel: Number or name of the current's channel; None lets the reader choose.
        window: Start and end of what is used of each sweep [ms]; None cuts around the step by the rule alone.
        pace: "real" as it was recorded, "max" as fast as can be.
        quality: Rules that its sweeps are held against, as far as it can answer them; noise, drift and small spikes
            warn.
    """

    file: Path
    network: Path | None = None
    sweep: int | None = None
    epoch: int | None = None
    junction_potential: float | None = None
    bridge: float | None = None
    channel: str | None = None
    current_channel: str | None = None
    window: tuple[float, float] | None = None
    pace: str = "real"
    quality: QualitySettings = QualitySettings()

    @property
    def overrides(self) -> bool:
        """Whether the reader's own choice of what is observed was overridden."""
        return any(asked is not None for asked in (self.epoch, self.channel, self.current_channel, self.window))
