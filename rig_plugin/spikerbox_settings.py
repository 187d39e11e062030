"""This file is the SpikerBox's settings: the table [spikerbox] of a rig file, where it is and what it sends."""

from __future__ import annotations

from dataclasses import dataclass

from rig_plugin.toml_table import key

__all__ = ["SpikerBoxSettings"]


@dataclass(frozen=True)
class SpikerBoxSettings:
    """Table [spikerbox]: a box that is listened to.

    Args:
        port: As the system calls it; needed.
        baud: Bits per second.
        rate: Sampling rate of a channel [kHz], which the box does not tell.
        channels: That it sends.
        channel: Which of them is listened to, from 1.
        bits: Of its converter, 10 or 14.
        calibration: What one code of the converter is [mV]; None leaves the scale arbitrary.
    """

    port: str | None = key(None, "port")
    baud: int = key(222_222, "baud", low=9600, high=4_000_000)
    rate: float = key(10.0, "rate_kHz", low=0.1, high=100.0)
    channels: int = key(1, "channels", low=1, high=8)
    channel: int = key(1, "channel", low=1, high=8)
    bits: int = key(10, "bits", low=10, high=14)
    calibration: float | None = key(None, "mV_per_code", low=1e-9, high=1e3)
