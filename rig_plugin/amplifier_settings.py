"""This file is the amplifier's settings: the table [amplifier] of a rig file, how it stands or who tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hardware.amplifier import Amplifier, Mode, Reading, Setting
from hardware.amplifier_manual import ManualAmplifier
from hardware.axopatch import Axopatch200B
from rig_plugin.toml_table import SettingsError, key, listed

__all__ = ["AmplifierSettings"]

_CURRENT, _VOLTAGE = ("holding", "sensitivity"), ("holding_voltage", "sensitivity_voltage")
_ENTERED = ("mode", "gain", "corner", *_CURRENT, *_VOLTAGE, "bridge", "neutralization")
_USED: Mapping[str, tuple[str, ...]] = {
    "manual": (*_ENTERED, "residual"),
    "axopatch-200b": ("beta", "command_input"),
    "multiclamp": ("channel", "serial", "port", "bus", "library"),
}

Volts = Callable[[], Mapping[str, npt.NDArray[np.float64]]]


@dataclass(frozen=True)
class AmplifierSettings:
    """Table [amplifier]: what a manual amplifier is set to, or where another is found.

    Args:
        kind: "manual", "axopatch-200b" or "multiclamp"; None asks no amplifier.
        mode: Of a manual one: "current", "voltage" or "zero".
        gain: From the cell to the output [mV/mV], in voltage clamp [mV/pA].
        corner: Of its low-pass [kHz].
        sensitivity: From the command input to the cell in current clamp [pA/V].
        sensitivity_voltage: The same in voltage clamp [mV/V].
        bridge: Series resistance that it has balanced [MOhm].
        residual: Series resistance that its bridge leaves, which is subtracted from the response [MOhm].
        holding: What it injects itself, on top of the command [pA].
        holding_voltage: The same in voltage clamp [mV].
        neutralization: Capacitance that it neutralizes [pF].
        beta: Headstage gain of an Axopatch, 1 or 0.1.
        command_input: To which of an Axopatch the command goes, "front" or "rear".
        channel: Of a MultiClamp, from 1.
        serial: Number of a MultiClamp 700B.
        port: COM port of a 700A.
        bus: AxoBus of a 700A.
        library: AxMultiClampMsg.dll, where Windows does not find it by itself.
    """

    kind: str | None = key(None, "kind", one_of=tuple(_USED))
    mode: str | None = key(None, "mode", one_of=("current", "voltage", "zero"))
    gain: float | None = key(None, "gain", low=1e-3, high=1e5)
    corner: float | None = key(None, "corner_kHz", low=1e-3, high=1000.0)
    sensitivity: float | None = key(None, "sensitivity_pA_per_V", low=1e-3, high=1e6)
    sensitivity_voltage: float | None = key(None, "sensitivity_mV_per_V", low=1e-3, high=1e4)
    bridge: float | None = key(None, "bridge_MOhm", low=0.0, high=1000.0)
    residual: float | None = key(None, "residual_MOhm", low=-1000.0, high=1000.0)
    holding: float | None = key(None, "holding_pA", low=-20_000.0, high=20_000.0)
    holding_voltage: float | None = key(None, "holding_mV", low=-200.0, high=200.0)
    neutralization: float | None = key(None, "neutralization_pF", low=0.0, high=100.0)
    beta: float | None = key(None, "beta", low=0.1, high=1.0)
    command_input: str | None = key(None, "command_input", one_of=("front", "rear"))
    channel: int | None = key(None, "channel", low=1, high=15)
    serial: int | None = key(None, "serial", low=0, high=(1 << 28) - 1)
    port: int | None = key(None, "port", low=0, high=255)
    bus: int | None = key(None, "bus", low=0, high=255)
    library: Path | None = key(None, "library")

    def check(self) -> None:
        """Refuse keys that do not belong together.

        Raises:
            SettingsError: If a key is of another kind or mode, or a manual amplifier's mode is missing.
        """
        given = [entry for entry in fields(self) if entry.name != "kind" and getattr(self, entry.name) is not None]
        if self.kind is None:
            if given:
                raise SettingsError(
                    f"[amplifier] has {given[0].metadata['key']} and no kind: add kind = {listed(map(repr, _USED))}."
                )
            return
        for entry in given:
            if entry.name not in _USED[self.kind]:
                kinds = (repr(kind) for kind, used in _USED.items() if entry.name in used)
                raise SettingsError(
                    f"[amplifier] {entry.metadata['key']} does not belong to kind '{self.kind}', but to "
                    f"{listed(kinds)}: leave it out."
                )
        if self.kind == "manual" and self.mode is None:
            raise SettingsError(
                "[amplifier] mode is missing, 'current', 'voltage' or 'zero' was wanted: read it off the amplifier, "
                "without it nothing is put out."
            )
        others = _CURRENT if self.mode == "voltage" else _VOLTAGE
        for entry in given:
            if self.kind == "manual" and (
                entry.name in others or (self.mode == "voltage" and entry.name in ("bridge", "residual"))
            ):
                raise SettingsError(
                    f"[amplifier] {entry.metadata['key']} does not belong to mode '{self.mode}': leave it out, or mend "
                    "the mode."
                )

    def amplifier(self, volts: Volts) -> Amplifier | None:
        """Make the amplifier, closed.

        Args:
            volts: Samples the rig's telegraph channels.

        Returns:
            It, or None where none is asked.

        Raises:
            SettingsError: As `check`.
            AmplifierError: If it can't be asked from this computer.
        """
        self.check()
        if self.kind == "manual":
            return ManualAmplifier(self._reading())
        if self.kind == "axopatch-200b":
            is_rear = self.command_input == "rear"
            return Axopatch200B(volts, 1.0 if self.beta is None else self.beta, is_rear=is_rear)
        if self.kind == "multiclamp":
            return self._multiclamp()
        return None

    def _multiclamp(self) -> Amplifier:
        # Windows alone has what it needs.
        from hardware.multiclamp import MultiClamp
        from hardware.multiclamp_commander import Commander, library
        from hardware.multiclamp_telegraph import HeadstageId
        from hardware.multiclamp_window import mailbox

        port = 1 if self.port is None else self.port
        headstage = HeadstageId(self.channel or 1, self.serial, port, self.bus or 0)
        window = mailbox()
        return MultiClamp(window, headstage, Commander(library(self.library), headstage))

    def _reading(self) -> Reading:
        """Give what was entered, each with the rig file as its source."""
        is_voltage = self.mode == "voltage"
        modes: dict[str, Mode] = {"current": "current", "voltage": "voltage", "zero": "zero"}
        return Reading(
            mode=Setting(modes[self.mode], "rig file") if self.mode else Setting(),
            gain=_entered(self.gain),
            corner=_entered(self.corner),
            sensitivity=_entered(self.sensitivity_voltage if is_voltage else self.sensitivity),
            bridge=_entered(self.bridge),
            holding=_entered(self.holding_voltage if is_voltage else self.holding),
            neutralization=_entered(self.neutralization),
            residual=_entered(self.residual),
        )


def _entered(value: float | None) -> Setting[float]:
    return Setting() if value is None else Setting(value, "rig file")
