"""This file is the settings: what RIG.toml says, checked key by key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from platformdirs import user_documents_path

from estimators.pretrained import SHIPPED, shipped
from rig_plugin.adaptive_settings import AdaptiveSettings
from rig_plugin.amplifier_settings import AmplifierSettings
from rig_plugin.channel_settings import ChannelsSettings
from rig_plugin.dyclamp_settings import DyClampSettings
from rig_plugin.electrode_settings import ElectrodeSettings
from rig_plugin.nidaq_settings import NidaqSettings
from rig_plugin.patch_settings import PatchSettings
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.refine_settings import RefineSettings
from rig_plugin.serial_settings import SerialSettings
from rig_plugin.spikerbox_settings import SpikerBoxSettings
from rig_plugin.toml_table import SettingsError, TomlTable, key, listed
from simulators.harm import Harm
from simulators.limits import Limits

__all__ = [
    "AmplifierSettings",
    "CellSettings",
    "DyClampSettings",
    "ElectrodeSettings",
    "LimitSettings",
    "NetworkSettings",
    "PatchSettings",
    "ProtocolSettings",
    "QualitySettings",
    "RecordingSettings",
    "RigSettings",
    "SerialSettings",
    "Settings",
    "SettingsError",
    "SpikerBoxSettings",
    "read",
]

_NO_TABLE = TomlTable(Path("RIG.toml"), "driver", {})
_OURS = ("model-cell", "serial", "spikerbox", "nidaq")
_WITHOUT_OUTPUT = ("model-cell", "spikerbox")


@dataclass(frozen=True)
class RigSettings:
    """Table [rig]: what the cell is attached to.

    Args:
        kind: Name of a rig plugin.
        rate: Sampling rate [kHz].
        seed: Seed of a simulated cell, or None for a new one each time.
        pace: "real" lasts as long as a cell would, "max" as short as can be.
        confirm: When a test pulse has to confirm current clamp before the first step: "unknown" where there is a cell
            and no amplifier tells its mode, or "always".
    """

    kind: str = key("model-cell", "kind")
    rate: float = key(20.0, "rate_kHz", low=1.0, high=250.0)
    seed: int | None = key(None, "seed", low=0)
    pace: str = key("real", "pace", one_of=("real", "max"))
    confirm: str = key("unknown", "confirm", one_of=("unknown", "always"))


@dataclass(frozen=True)
class CellSettings:
    """Table [cell]: parameters of a simulated cell by name, in the units of its simulator.

    Args:
        theta: {parameter: value}; the others stay as the simulated cell has them.
        model: Name of the process that it is a cell of; None takes the one that the network infers.
    """

    theta: Mapping[str, float] = field(default_factory=dict)
    model: str | None = key(None, "model", one_of=("cortical", "patchseq"))


@dataclass(frozen=True)
class LimitSettings:
    """Table [limits]: what may be put into the cell at all.

    Args:
        low: Smallest command [pA].
        high: Largest command [pA].
        max_spikes: Most spikes of a sweep, which is broken off after them.
    """

    low: float = key(-1000.0, "low_pA")
    high: float = key(1000.0, "high_pA")
    max_spikes: int = key(300, "max_spikes", low=1, high=1_000_000)

    def limits(self) -> Limits:
        """Make the limits that a rig asks before any output.

        Returns:
            The limits, with the longest stimulus left as it is by default.
        """
        return Limits(self.low, self.high)

    def harm(self) -> Harm:
        """Make the bounds at which a sweep is broken off.

        Returns:
            The bounds, their voltages left as they are by default.
        """
        return Harm(max_spikes=self.max_spikes)


@dataclass(frozen=True)
class NetworkSettings:
    """Table [network]: the network that infers.

    Args:
        path: A checkpoint, relative to the rig file, or the name of one that ships; None takes the first of these.
    """

    path: Path | None = key(None, "path")


@dataclass(frozen=True)
class RecordingSettings:
    """Table [recording]: where sweeps are kept.

    Args:
        folder: A folder, relative to the rig file; None records nothing.
        subject: Whose cells these are, in the user's own words, which go to the file.
        cell: Which cell.
        notes: What else is worth keeping.
    """

    folder: Path | None = key(None, "folder")
    subject: str | None = key(None, "subject")
    cell: str | None = key(None, "cell")
    notes: str | None = key(None, "notes")

    @property
    def where(self) -> Path:
        """The folder, or where recordings go that are begun in the window when none is named."""
        return self.folder or user_documents_path() / "rig-plugin"


@dataclass(frozen=True)
class Settings:
    """All that a rig file says; without one, a simulated cell at a real cell's pace.

    Args:
        rig: What the cell is attached to.
        cell: Parameters of a simulated cell.
        patch: How a simulated patch comes about, and goes wrong.
        electrode: What a simulated cell is seen through.
        amplifier: How the amplifier stands, or who tells it.
        spikerbox: Where a SpikerBox is found, and what it sends.
        protocol: What is played.
        adaptive: Whether the posterior chooses what is played.
        limits: What may be played at all.
        network: What infers.
        recording: Where sweeps are kept.
        quality: Where a recording stops being a good one.
        serial: A microcontroller on a serial line, for a rig of the kind "serial".
        nidaq: A board of National Instruments.
        dyclamp: A dynamic clamp that stands beside the rig.
        driver: The table that is named as the kind of the rig, for the driver of somebody else, who says what may
            stand in it: `settings.driver.make(MySettings)`.
        channels: Further inputs of it, which are recorded.
        refine: When the posterior is refined for the cell.
    """

    rig: RigSettings = RigSettings()
    cell: CellSettings = CellSettings()
    patch: PatchSettings = PatchSettings()
    electrode: ElectrodeSettings = ElectrodeSettings()
    amplifier: AmplifierSettings = AmplifierSettings()
    spikerbox: SpikerBoxSettings = SpikerBoxSettings()
    protocol: ProtocolSettings = ProtocolSettings()
    adaptive: AdaptiveSettings = AdaptiveSettings()
    limits: LimitSettings = LimitSettings()
    network: NetworkSettings = NetworkSettings()
    recording: RecordingSettings = RecordingSettings()
    quality: QualitySettings = QualitySettings()
    serial: SerialSettings = SerialSettings()
    nidaq: NidaqSettings = NidaqSettings()
    dyclamp: DyClampSettings = DyClampSettings()
    driver: TomlTable = _NO_TABLE
    channels: ChannelsSettings = ChannelsSettings()
    refine: RefineSettings = RefineSettings()


def read(path: Path | None = None) -> Settings:
    """Read a rig file, or take the simulated cell where there is none.

    Args:
        path: A RIG.toml; None gives the defaults.

    Returns:
        The settings, complete and checked.

    Raises:
        SettingsError: If the file can't be read, or a key is unknown, of the wrong type or out of range.
    """
    if path is None:
        return Settings()
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} can't be read ({error.strerror}): name a rig file, or none.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is no text, a TOML was wanted (a recording: rig-plugin replay FILE).") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is no TOML ({error}): mend that line.") from error
    kinds: dict[str, Any] = {declared.name: type(declared.default) for declared in fields(Settings)}
    del kinds["driver"]
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise SettingsError(f"{path}: {name} is {table!r}, a table [{name}] was wanted.")
    rig = TomlTable(path, "rig", tables.get("rig", {})).make(RigSettings)
    # A driver of somebody else has the table of its own name, and says itself what may stand there.
    own = () if rig.kind in (*kinds, *_OURS) else (rig.kind,)
    for name in tables:
        if name not in (*kinds, *own):
            raise SettingsError(f"{path}: [{name}] is unknown: use {listed(f'[{kind}]' for kind in (*kinds, *own))}.")
    further = ChannelsSettings.read(path, tables.get("channels", {}))
    plain = {name: table for name, table in tables.items() if name in kinds and name != "channels"}
    made = {name: TomlTable(path, name, table).make(kinds[name]) for name, table in plain.items()}
    settings = Settings(**made, channels=further)
    if own:
        settings = replace(settings, driver=TomlTable(path, rig.kind, tables.get(rig.kind, {})))
    settings = _shelved(settings, tables.get("network", {}).get("path"))
    _check_together(path, settings, tables)
    return settings


def _shelved(settings: Settings, said: object) -> Settings:
    """Take a network that ships where it is named and no file beside the rig file is called so."""
    ships = shipped(said) if isinstance(said, str) else None
    if ships is None or settings.network.path is None or settings.network.path.is_file():
        return settings
    return replace(settings, network=replace(settings.network, path=ships))


def _check_together(path: Path, settings: Settings, tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse keys that are right one by one but not beside each other."""
    try:
        settings.amplifier.check()
        settings.quality.check()
        settings.dyclamp.check(tables)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error
    protocol, given = settings.protocol, tables.get("protocol", {})
    steps = [name for name in ("start_pA", "stop_pA", "step_pA") if name in given]
    if "amplitudes_pA" in given and steps:
        raise SettingsError(f"{path}: [protocol] has amplitudes_pA and {listed(steps)}: keep one of the two ways.")
    if "amplitudes_pA" in given and not protocol.amplitudes:
        raise SettingsError(f"{path}: [protocol] amplitudes_pA is empty, at least one amplitude was wanted.")
    if settings.rig.kind not in _WITHOUT_OUTPUT and not {"low_pA", "high_pA"} <= tables.get("limits", {}).keys():
        raise SettingsError(
            f"{path}: [limits] is missing or not whole: a rig that puts currents into a cell needs low_pA and high_pA, "
            "for instance low_pA = -200 and high_pA = 500."
        )
    try:
        protocol.check(settings.limits.limits())
        if settings.rig.kind == "nidaq":
            settings.nidaq.check(tables, settings.channels.inputs)
        elif settings.channels.inputs:
            raise SettingsError("[channels] are inputs of a board, of [rig] kind = 'nidaq': leave them out.")
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error
    if settings.network.path is not None and not settings.network.path.is_file():
        raise SettingsError(
            f"{path}: [network] path is {settings.network.path}, which is no file: name a checkpoint, or "
            f"{listed(SHIPPED)}."
        )
