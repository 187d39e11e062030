"""This file is the channel settings: tables [channels.NAME] of a rig file, further inputs that are recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hardware.rig import Gain
from rig_plugin.toml_table import SettingsError, TomlTable, key

__all__ = ["ChannelSettings", "ChannelsSettings"]


@dataclass(frozen=True)
class ChannelSettings:
    """Table [channels.NAME]: one input that is recorded beside response and command.

    Args:
        terminal: Its name on the board.
        per_volt: What a volt of it stands for.
        unit: Of that.
        span: Largest magnitude that it reads [V].
    """

    terminal: str | None = key(None, "input")
    per_volt: float | None = key(None, "per_V", low=-1e9, high=1e9)
    unit: str | None = key(None, "unit")
    span: float = key(10.0, "range_V", low=0.01, high=10.0)

    @property
    def gain(self) -> Gain:
        """What a volt of it stands for."""
        return Gain(self.per_volt or 0.0, f"{self.unit}/V", "rig file")


@dataclass(frozen=True)
class ChannelsSettings:
    """All of [channels].

    Args:
        inputs: By the name under which each is recorded.
    """

    inputs: Mapping[str, ChannelSettings] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, tables: Mapping[str, Any]) -> ChannelsSettings:
        """Read the tables.

        Args:
            path: The rig file.
            tables: What `tomllib` read, by the channel's name.

        Returns:
            The settings.

        Raises:
            SettingsError: If a key is unknown or can't be used, or one is missing, for none has a default.
        """
        inputs = {}
        for name, table in tables.items():
            if not isinstance(table, dict):
                raise SettingsError(f"{path}: [channels] {name} is {table!r}, a table [channels.{name}] was wanted.")
            made = inputs[name] = TomlTable(path, f"channels.{name}", table).make(ChannelSettings)
            missing = [said for said in ("input", "per_V", "unit") if not table.get(said)]
            if missing:
                raise SettingsError(
                    f"{path}: [channels.{name}] {missing[0]} is {table.get(missing[0], 'missing')}: say at which input "
                    'it is, and what a volt of it stands for, for instance input = "ai3", per_V = 10.0, unit = "degC".'
                )
            if "/" in (made.unit or ""):
                raise SettingsError(
                    f"{path}: [channels.{name}] unit is {made.unit!r}: write what a volt stands for, without the '/V'."
                )
        return cls(inputs)
