"""This file is the settings of NI-DAQmx: table [nidaq] of RIG.toml, from names of terminals to a wiring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hardware.axopatch import CHANNELS
from hardware.nidaq_wiring import Input, Output, Terminals, Wiring
from hardware.rig import Gain
from rig_plugin.channel_settings import ChannelSettings
from rig_plugin.toml_table import SettingsError, key, listed
from simulators.stimulus import Clamp
from simulators.sweep import Junction

__all__ = ["NidaqSettings"]

_SOURCE = "rig file"
_VOLTS = Gain(1.0, "V/V", "telegraph")
_TELEGRAPH, _TELEGRAPHED, _NEEDED = "telegraph", "axopatch-200b", ("mode", "gain")
_NO_CHANNELS: Mapping[str, ChannelSettings] = MappingProxyType({})
_TELLING = (_TELEGRAPHED, "multiclamp")
_TERMINALS: tuple[Terminals, ...] = ("default", "differential", "rse", "nrse")
_KEYS: dict[Clamp, tuple[str, str, str]] = {
    "current": ("response_mV_per_V", "command_pA_per_V", "monitor_pA_per_V"),
    "voltage": ("response_pA_per_V", "command_mV_per_V", "monitor_mV_per_V"),
}


@dataclass(frozen=True)
class NidaqSettings:
    """Table [nidaq]: a board of National Instruments and the amplifier behind it.

    A scale has no default: one that is wrong by ten gives numbers that look right. Where the amplifier tells its gain,
    it has to tell the same, or all is left to it.

    Args:
        device: Name of the board, as NI MAX shows it; None where there is none.
        server: Address of an NI gRPC Device Server, "host:port"; None uses this computer's driver.
        clamp: The mode of the amplifier, in which the scales hold.
        output: Where the command goes.
        response: Where the answer comes from.
        monitor: Where the command comes back as measured, or None.
        gain: "telegraph" where the amplifier says what response and command are scaled by, else "rig file".
        response_mV: Scale of the response in current clamp [mV/V].
        command_pA: Command sensitivity in current clamp [pA/V].
        monitor_pA: Scale of the monitor in current clamp [pA/V].
        response_pA: Scale of the response in voltage clamp [pA/V].
        command_mV: Command sensitivity in voltage clamp [mV/V].
        monitor_mV: Scale of the monitor in voltage clamp [mV/V].
        mode_telegraph: Where the amplifier tells its mode, or None.
        gain_telegraph: Where it tells its gain.
        filter_telegraph: Where it tells its low-pass.
        capacitance_telegraph: Where it tells its capacitance dial.
        terminals: How the inputs are connected.
        input_span: Largest magnitude at the inputs [V].
        output_span: Largest magnitude at the output [V].
        exit_level: Command at which the cell is left [pA].
        junction: Junction potential to be subtracted [mV], or None where it is unknown.
        timeout: How long samples may be late [ms].
        silence: How long the program may be silent during output before the guardian returns it [ms].
    """

    device: str | None = key(None, "device")
    server: str | None = key(None, "server")
    clamp: str = key("current", "clamp", one_of=("current", "voltage"))
    output: str = key("ao0", "output")
    response: str = key("ai0", "response")
    monitor: str | None = key(None, "monitor")
    gain: str = key("rig file", "gain", one_of=("rig file", "telegraph"))
    response_mV: float | None = key(None, "response_mV_per_V", low=-1e6, high=1e6)  # noqa: N815 - the unit
    command_pA: float | None = key(None, "command_pA_per_V", low=-1e6, high=1e6)  # noqa: N815 - the unit
    monitor_pA: float | None = key(None, "monitor_pA_per_V", low=-1e6, high=1e6)  # noqa: N815 - the unit
    response_pA: float | None = key(None, "response_pA_per_V", low=-1e6, high=1e6)  # noqa: N815 - the unit
    command_mV: float | None = key(None, "command_mV_per_V", low=-1e6, high=1e6)  # noqa: N815 - the unit
    monitor_mV: float | None = key(None, "monitor_mV_per_V", low=-1e6, high=1e6)  # noqa: N815 - the unit
    mode_telegraph: str | None = key(None, "mode_telegraph")
    gain_telegraph: str | None = key(None, "gain_telegraph")
    filter_telegraph: str | None = key(None, "filter_telegraph")
    capacitance_telegraph: str | None = key(None, "capacitance_telegraph")
    terminals: str = key("default", "terminals", one_of=_TERMINALS)
    input_span: float = key(10.0, "input_range_V", low=0.01, high=10.0)
    output_span: float = key(10.0, "output_range_V", low=0.01, high=10.0)
    exit_level: float = key(0.0, "exit_pA")
    junction: float | None = key(None, "junction_mV", low=-50.0, high=50.0)
    timeout: float = key(500.0, "timeout_ms", low=10.0, high=2000.0)
    silence: float = key(1000.0, "silence_ms", low=200.0, high=60_000.0)

    @property
    def told(self) -> Junction:
        """What is known of the junction potential."""
        return Junction() if self.junction is None else Junction("uncorrected", self.junction)

    def wiring(self, channels: Mapping[str, ChannelSettings] = _NO_CHANNELS) -> Wiring:
        """Make the wiring.

        Args:
            channels: Further inputs, by the names under which they are recorded.

        Returns:
            It, in the one mode of the amplifier.

        Raises:
            SettingsError: If the board or a scale of this mode is missing, or one of the other mode is there.
            RigError: If the terminals don't go together.
        """
        if self.device is None:
            raise SettingsError('[nidaq] has no device: name the board as NI MAX shows it, device = "Dev1".')
        if self.server is not None and not _is_address(self.server):
            raise SettingsError(f'[nidaq] server is {self.server!r}, "host:port" was wanted.')
        clamp: Clamp = "voltage" if self.clamp == "voltage" else "current"
        scales = {
            "response_mV_per_V": self.response_mV,
            "command_pA_per_V": self.command_pA,
            "monitor_pA_per_V": self.monitor_pA,
            "response_pA_per_V": self.response_pA,
            "command_mV_per_V": self.command_mV,
            "monitor_mV_per_V": self.monitor_mV,
        }
        mine = _KEYS[clamp]
        for name, scale in scales.items():
            if scale is not None and name not in mine:
                raise SettingsError(f"[nidaq] has {name}, which is of another mode than {clamp} clamp: remove it.")
        self._check_scales(mine, [name for name in mine if scales[name] is not None])
        gains = {name: Gain(scale, _unit(name), _SOURCE) for name, scale in scales.items() if scale is not None}
        wired: Terminals = next(word for word in _TERMINALS if word == self.terminals)
        response, command, monitor = mine
        return Wiring(
            self.device,
            Output(self.output, gains.get(command), self.output_span),
            Input(self.response, gains.get(response), self.input_span, wired),
            Input(self.monitor, gains[monitor], self.input_span, wired) if self.monitor is not None else None,
            others={name: Input(str(each.terminal), each.gain, each.span, wired) for name, each in channels.items()},
            telegraphs={name: Input(at, _VOLTS, 10.0, wired) for name, at in self._telegraphs().items()},
            clamp=clamp,
            server=self.server,
        )

    def _check_scales(self, mine: tuple[str, str, str], given: list[str]) -> None:
        """Refuse a scale that nobody says, and one that two say."""
        follows = self.gain == _TELEGRAPH
        for name in mine[:2]:
            if follows and name in given:
                raise SettingsError(
                    f"[nidaq] has {name} and gain = '{_TELEGRAPH}': keep the number, which the amplifier then has "
                    "to tell as well, or the word, which follows the amplifier."
                )
            if not follows and name not in given:
                raise SettingsError(
                    f"[nidaq] lacks {name}: it stands on the amplifier or in its manual; where the amplifier tells it, "
                    f"write gain = '{_TELEGRAPH}'."
                )
        if self.monitor is not None and mine[2] not in given:
            raise SettingsError(f"[nidaq] lacks {mine[2]}: it stands in the amplifier's manual.")
        if self.monitor is None and mine[2] in given:
            raise SettingsError(f"[nidaq] has {mine[2]}: name the monitor too.")

    def check(self, tables: Mapping[str, Any], channels: Mapping[str, ChannelSettings] = _NO_CHANNELS) -> None:
        """Refuse a rig file that would put something out without having said how.

        Args:
            tables: What stands in the file.
            channels: Further inputs, by the names under which they are recorded.

        Raises:
            Refusal: If what tells a scale is missing, or as `wiring`.
        """
        self.wiring(channels)
        wired = self._telegraphs()
        kind = tables.get("amplifier", {}).get("kind")
        missing = [name for name in _NEEDED if name not in wired]
        if kind == _TELEGRAPHED and missing:
            raise SettingsError(
                f"[amplifier] kind is '{kind}', which tells how it stands by voltages, and [nidaq] has no "
                f"{missing[0]}_telegraph: name the input to which that telegraph leads."
            )
        if self.gain == _TELEGRAPH and kind not in _TELLING:
            raise SettingsError(
                f"[nidaq] has gain = '{_TELEGRAPH}' and no amplifier tells it: add [amplifier] with kind = "
                f"{listed(map(repr, _TELLING))}, or write the scales here."
            )
        if self.gain == _TELEGRAPH and self.exit_level:
            raise SettingsError(
                f"[nidaq] exit_pA is {self.exit_level:g} with gain = '{_TELEGRAPH}': what a volt injects has to be "
                "known before the amplifier is asked; write the scales here, or leave exit_pA at 0."
            )
        if wired and kind != _TELEGRAPHED:
            raise SettingsError(
                f"[nidaq] has {next(iter(wired))}_telegraph and nobody reads it: add [amplifier] with kind = "
                f"'{_TELEGRAPHED}', or leave the telegraphs out."
            )

    def _telegraphs(self) -> dict[str, str]:
        """Give the inputs of the telegraphs that are wired."""
        said = (self.mode_telegraph, self.gain_telegraph, self.filter_telegraph, self.capacitance_telegraph)
        return {name: terminal for name, terminal in zip(CHANNELS, said, strict=True) if terminal is not None}


def _unit(name: str) -> str:
    """Read the unit off a key."""
    return name.split("_", 1)[1].replace("_per_", "/")


def _is_address(server: str) -> bool:
    """Whether it is a host with a port."""
    host, _, port = server.rpartition(":")
    return bool(host) and port.isascii() and port.isdigit() and 0 < int(port) < 65_536
