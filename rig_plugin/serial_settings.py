"""This file is the serial settings: the table [serial] of a rig file, a microcontroller and what its counts mean."""

from __future__ import annotations

from dataclasses import dataclass

from hardware.counts import Channel
from rig_plugin.toml_table import SettingsError, key
from simulators.sweep import Junction

__all__ = ["SerialSettings"]


@dataclass(frozen=True)
class SerialSettings:
    """Table [serial]: port, line, channels and scales.

    The scales have no default: what nobody told is a wrong current sooner or later.

    Args:
        port: As the system names it.
        baud: Of the line [bits/s]; a board with native USB ignores it.
        dtr: "on" where the line says that a terminal is ready, as native USB wants it.
        channels: How many are sampled.
        response_channel: Where the voltage comes in.
        response: What a count of it is without amplification [mV].
        response_gain: By which the device amplifies it.
        command_channel: Where the injected current comes back in.
        command: What a count of it is without amplification [pA].
        command_gain: By which the device amplifies it.
        output: What a count of the output is [pA].
        holding: Command at which the cell is left between sweeps and at the end, the exit level [pA].
        junction: Junction potential that is still in the voltage [mV]; None where it is not known.
    """

    port: str | None = key(None, "port")
    baud: int = key(2_000_000, "baud", low=1200, high=12_000_000)
    dtr: str = key("on", "dtr", one_of=("on", "off"))
    channels: int = key(2, "channels", low=2, high=4)
    response_channel: int = key(0, "response_channel", low=0, high=3)
    response: float | None = key(None, "response_mV_per_count")
    response_gain: int = key(1, "response_gain", low=1, high=1024)
    command_channel: int = key(1, "command_channel", low=0, high=3)
    command: float | None = key(None, "command_pA_per_count")
    command_gain: int = key(1, "command_gain", low=1, high=1024)
    output: float | None = key(None, "output_pA_per_count")
    holding: float = key(0.0, "holding_pA")
    junction: float | None = key(None, "junction_mV", low=-50.0, high=50.0)

    @property
    def line(self) -> str:
        """The port.

        Raises:
            SettingsError: If the file does not say it.
        """
        if self.port is None:
            raise SettingsError('[serial] has no port: say which, for instance port = "/dev/ttyACM0" or port = "COM3".')
        return self.port

    def scales(self) -> tuple[Channel, Channel, float]:
        """Give what the counts mean.

        Returns:
            The channels of response and command, and what a count of the output is [pA].

        Raises:
            SettingsError: If the file does not say one of them.
        """
        said = {
            "response_mV_per_count": self.response,
            "command_pA_per_count": self.command,
            "output_pA_per_count": self.output,
        }
        for name, scale in said.items():
            if not scale:
                raise SettingsError(
                    f"[serial] {name} is {'missing' if scale is None else 0}: measure it with a known signal and write "
                    "it down, for a wrong scale makes wrong currents and wrong conductances."
                )
        response, command, output = (float(scale or 0.0) for scale in said.values())
        return (
            Channel(self.response_channel, response, self.response_gain),
            Channel(self.command_channel, command, self.command_gain),
            output,
        )

    def known_junction(self) -> Junction:
        """Tell what is known of the junction potential.

        Returns:
            "uncorrected" by the value that the file says, or "unknown".
        """
        return Junction() if self.junction is None else Junction("uncorrected", self.junction)
