"""This file is the dyClamp's settings: the table [dyclamp] of a rig file, a dynamic clamp beside the rig."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hardware.dyclamp import DyClamp
from hardware.dyclamp_companion import DyClampCompanion
from hardware.injection import Injection
from hardware.port import Port
from rig_plugin.toml_table import SettingsError, key
from simulators.limits import Limits

__all__ = ["DyClampSettings"]

_FAR = 99_999.0
_MOST = 10_000.0


@dataclass(frozen=True)
class DyClampSettings:
    """Table [dyclamp]: where the board is, how it is calibrated and what it adds to the cell.

    The calibration has no default: what nobody told is a wrong current sooner or later.

    Args:
        port: As the system calls it; None has no board.
        supervised: "yes" where somebody sits by the rig, for the board has no watchdog.
        largest: Largest conductance that may be set [nS].
        amplifier_gain: [mV/mV].
        command_sensitivity: [pA/V].
        input_slope: Of the input's converter [mV].
        input_offset: [mV].
        output_slope: Of the output's converter.
        output_offset: Of the output's converter.
        voltage_offset: [mV].
        shunt: A leak [nS].
        h: A hyperpolarization-activated conductance [nS].
        na: A sodium conductance [nS].
        epsc: Of a synaptic current [nS].
        mean_1: Of the first Ornstein-Uhlenbeck conductance [nS].
        diffusion_1: Of the same [nS2/ms].
        mean_2: Of the second [nS].
        diffusion_2: Of the same [nS2/ms].
    """

    port: str | None = key(None, "port")
    supervised: str = key("no", "supervised", one_of=("yes", "no"))
    largest: float = key(50.0, "largest_nS", low=0.01, high=1000.0)
    amplifier_gain: float | None = key(None, "amplifier_gain", low=-_FAR, high=_FAR)
    command_sensitivity: float | None = key(None, "command_sensitivity_pA_per_V", low=-_FAR, high=_FAR)
    input_slope: float | None = key(None, "input_slope_mV", low=-_FAR, high=_FAR)
    input_offset: float | None = key(None, "input_offset_mV", low=-_FAR, high=_FAR)
    output_slope: float | None = key(None, "output_slope", low=-_FAR, high=_FAR)
    output_offset: float | None = key(None, "output_offset", low=-_FAR, high=_FAR)
    voltage_offset: float | None = key(None, "voltage_offset_mV", low=-_FAR, high=_FAR)
    shunt: float = key(0.0, "g_shunt_nS", low=0.0, high=_MOST)
    h: float = key(0.0, "g_H_nS", low=0.0, high=_MOST)
    na: float = key(0.0, "g_Na_nS", low=0.0, high=_MOST)
    epsc: float = key(0.0, "g_EPSC_nS", low=0.0, high=_MOST)
    mean_1: float = key(0.0, "OU1_mean_nS", low=0.0, high=_MOST)
    diffusion_1: float = key(0.0, "OU1_D_nS2_per_ms", low=0.0, high=_MOST)
    mean_2: float = key(0.0, "OU2_mean_nS", low=0.0, high=_MOST)
    diffusion_2: float = key(0.0, "OU2_D_nS2_per_ms", low=0.0, high=_MOST)

    @property
    def conductances(self) -> Mapping[str, float]:
        """What is set, by the board's names [nS]."""
        return {
            "g_shunt": self.shunt,
            "g_H": self.h,
            "g_Na": self.na,
            "OU1_mean": self.mean_1,
            "OU1_D": self.diffusion_1,
            "OU2_mean": self.mean_2,
            "OU2_D": self.diffusion_2,
            "g_EPSC": self.epsc,
        }

    @property
    def calibration(self) -> Mapping[str, float]:
        """What the board has to have, by its names.

        Raises:
            SettingsError: If a number is missing.
        """
        said = {
            "amplifier_gain": ("amplifier_gain", self.amplifier_gain),
            "command_sensitivity": ("command_sensitivity_pA_per_V", self.command_sensitivity),
            "input_slope": ("input_slope_mV", self.input_slope),
            "input_offset": ("input_offset_mV", self.input_offset),
            "output_slope": ("output_slope", self.output_slope),
            "output_offset": ("output_offset", self.output_offset),
            "voltage_offset": ("voltage_offset_mV", self.voltage_offset),
        }
        for name, value in said.values():
            if value is None:
                raise SettingsError(
                    f"[dyclamp] lacks {name}: write down how the board was calibrated, for a wrong number makes wrong "
                    "currents."
                )
        return {name: float(value or 0.0) for name, (_, value) in said.items()}

    def check(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        """Refuse a table that would inject without all having been said that it takes.

        Args:
            tables: What stands in the rig file.

        Raises:
            SettingsError: If something is missing, or a conductance is larger than may be set.
        """
        if "dyclamp" not in tables:
            return
        if self.port is None:
            raise SettingsError('[dyclamp] has no port: say which, for instance port = "/dev/ttyACM1" or "COM4".')
        if self.supervised != "yes":
            raise SettingsError(
                "[dyclamp] has no watchdog: it goes on when this program, the cable or the computer fails. Write "
                'supervised = "yes" where somebody sits by the rig and can switch the external command off.'
            )
        if not {"low_pA", "high_pA"} <= tables.get("limits", {}).keys():
            raise SettingsError(
                "[limits] is missing or not whole: a dyClamp puts currents into a cell, so low_pA and high_pA are "
                "needed."
            )
        for name, conductance in self.conductances.items():
            if conductance > self.largest:
                raise SettingsError(
                    f"[dyclamp] {name} is {conductance:g} nS, at most largest_nS = {self.largest:g} was wanted: lower "
                    "it, or raise largest_nS."
                )
        if not self.output_slope and self.output_slope is not None:
            raise SettingsError("[dyclamp] output_slope is 0, another was wanted: calibrate the board.")
        _ = self.calibration

    def companion(self, limits: Limits, tell: Callable[[Injection], None]) -> DyClampCompanion | None:
        """Make what stands beside the rig.

        Args:
            limits: Which current it may be able to inject at all.
            tell: Who is told how it stands, from any thread.

        Returns:
            It, closed; None where there is no board.

        Raises:
            SettingsError: If a number of the calibration is missing.
        """
        if self.port is None:
            return None
        clamp = DyClamp(Port(self.port), limits, self.largest)
        return DyClampCompanion(clamp, f"dyClamp on {self.port}", self.calibration, self.conductances, tell)
