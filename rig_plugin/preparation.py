"""This file is the preparation: what lies on the desk, a cell on a rig or one in a recording, with who reads it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from estimators.process import CORTICAL
from rig_plugin.engine import opened
from rig_plugin.engine.host import Opener
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.script import Script
from rig_plugin.settings import NetworkSettings, ProtocolSettings, Settings, read
from simulators.stimulus import Clamp

__all__ = ["SIMULATED", "Preparation", "is_script", "of_file", "on_rig", "recorded"]

SIMULATED = "simulated cell"
"""What a rig without a rig file is called."""

_MODEL = "model-cell"
_RIG_FILES = (".toml",)
_CLAMPLESS = ("nidaq", "spikerbox")


@dataclass(frozen=True)
class Preparation:
    """What can be opened; plain data, from which the engine makes a session.

    Args:
        name: What it is called on the screen.
        key: Under which the window remembers how it was used.
        settings: Of the rig, or of the recording.
        clamp: In which membrane tests are played in place of the protocol, or None.
        script: That is played in its place, or None.
        former: Recording that the script goes on from, or None.
    """

    name: str
    key: str
    settings: Settings | ReplaySettings
    clamp: Clamp | None = None
    script: Script | None = None
    former: Path | None = None

    @property
    def is_replay(self) -> bool:
        """Whether the sweeps come from a file."""
        return isinstance(self.settings, ReplaySettings)

    @property
    def network(self) -> Path | None:
        """The checkpoint that reads it; None is the first of those that ship."""
        settings = self.settings
        return settings.network if isinstance(settings, ReplaySettings) else settings.network.path

    @property
    def protocol(self) -> ProtocolSettings | None:
        """What is played, or None where a recording says that."""
        return None if isinstance(self.settings, ReplaySettings) else self.settings.protocol

    @property
    def is_alive(self) -> bool | None:
        """Whether there is a cell, which needs its rest; None where sweeps follow as fast as can be."""
        settings = self.settings
        if isinstance(settings, ReplaySettings) or (settings.rig.kind == _MODEL and settings.rig.pace == "max"):
            return None
        return settings.rig.kind != _MODEL

    @property
    def opener(self) -> Opener:
        """What makes a session of it in the engine."""
        settings = self.settings
        if isinstance(settings, ReplaySettings):
            return partial(opened.replay, settings)
        if self.script is not None:
            # What nobody watches is kept, wherever the window would keep it.
            where = settings.recording.where
            return partial(opened.script, settings, self.script, resume=self.former, folder=where)
        return partial(opened.attach, settings) if self.clamp is None else partial(opened.patch, settings, self.clamp)

    def without_drug(self, process: str) -> str:
        """Say why no virtual drug can be asked for beside what is played.

        Args:
            process: Of the network.

        Returns:
            A sentence with the remedy; empty where one can, as far as that is known before the rig is open.
        """
        settings = self.settings
        if isinstance(settings, ReplaySettings):
            return "What was recorded was played already: a virtual drug is given on a rig."
        if process != CORTICAL.name:
            return f"Virtual drugs are made for cortical cells, and this network knows {process}: choose another."
        if settings.rig.kind in _CLAMPLESS:
            return (
                f"A rig of the kind {settings.rig.kind} has no dynamic clamp that can be told what to add: use the "
                "simulated cell or the serial device."
            )
        if self.script is not None:
            return "A script is played: give it a drug stage."
        if self.clamp is not None:
            return "No sweeps are played here that a posterior could rest on: play a family."
        return ""

    @property
    def plain(self) -> Preparation:
        """The same without a script."""
        if self.script is None:
            return self
        return replace(self, name=self.name.removeprefix(_on(self.script)), script=None, former=None)

    def scripted(self, script: Script, former: Path | None = None) -> Preparation:
        """Have a script played on it.

        Args:
            script: Read and checked.
            former: A recording of it that was broken off, to go on from; None begins anew.

        Returns:
            The same preparation with it.

        Raises:
            ValueError: If it is a recording, which nothing can be played on.
        """
        if self.is_replay:
            raise ValueError(f"{self.name} is a recording: a script is played on a rig.")
        plain = self.plain
        return replace(plain, name=f"{_on(script)}{plain.name}", clamp=None, script=script, former=former)

    def read_by(self, network: Path) -> Preparation:
        """Have another network read it.

        Args:
            network: A checkpoint.

        Returns:
            The same preparation with it.
        """
        settings = self.settings
        if isinstance(settings, ReplaySettings):
            return replace(self, settings=replace(settings, network=network))
        return replace(self, settings=replace(settings, network=NetworkSettings(network)))

    def played(self, protocol: ProtocolSettings) -> Preparation:
        """Have another protocol played.

        Args:
            protocol: Which.

        Returns:
            The same preparation with it.

        Raises:
            ValueError: If it is a recording, which was played already.
        """
        settings = self.settings
        if isinstance(settings, ReplaySettings):
            raise ValueError(f"{self.name} is a recording: its protocol was played already.")
        return replace(self, settings=replace(settings, protocol=protocol))


def on_rig(settings: Settings, file: Path | None = None, clamp: Clamp | None = None) -> Preparation:
    """Take a rig.

    Args:
        settings: What its rig file says.
        file: The rig file, or None.
        clamp: Has membrane tests in it played in place of the protocol.

    Returns:
        The preparation.
    """
    kind = SIMULATED if settings.rig.kind == _MODEL else settings.rig.kind
    name = kind if file is None else f"{file.name} ({kind})"
    return Preparation(name, kind if file is None else str(file.resolve()), settings, clamp)


def recorded(settings: ReplaySettings) -> Preparation:
    """Take a recording.

    Args:
        settings: Which, and how to read it.

    Returns:
        The preparation.
    """
    return Preparation(settings.file.name, "recordings", settings)


def of_file(file: Path, read_rig: Callable[[Path], Settings] = read) -> Preparation:
    """Take what a file is: a rig file by its name, a recording otherwise, whose content says which format it has.

    Args:
        file: That somebody chose or dropped.
        read_rig: Reads a rig file; another one for tests.

    Returns:
        The preparation; whether a recording can be read is known when it is opened.

    Raises:
        SettingsError: If a rig file can't be used.
    """
    if file.suffix.lower() in _RIG_FILES:
        return on_rig(read_rig(file), file)
    return recorded(ReplaySettings(file))


def is_script(file: Path) -> bool:
    """Tell whether a TOML is a script and no rig file; one that can't be read is neither.

    Args:
        file: That somebody chose or dropped.

    Returns:
        Whether it has stages.
    """
    if file.suffix.lower() not in _RIG_FILES:
        return False
    try:
        return "stage" in tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False


def _on(script: Script) -> str:
    return f"{script.name or 'a script'} on "
