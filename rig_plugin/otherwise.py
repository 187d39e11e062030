"""This file is reading otherwise: what somebody types of a recording, as the settings by which it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from rig_plugin.commands.table import outline
from rig_plugin.replay_settings import ReplaySettings
from simulators.refusal import Refusal

__all__ = ["FIELDS", "described", "read_so", "typed"]

_MOHM = 1e-3

FIELDS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "channel": ("voltage in", "", "Number or name of the channel, as it is listed beside."),
        "current_channel": ("current in", "", "Number or name of the channel, as it is listed beside."),
        "epoch": ("epoch", "", "The current epoch that is observed, as it is listed beside, from 0."),
        "window": ("window", "ms", "Start and end of what is used of each sweep, such as 100 900."),
        "sweep": ("only sweep", "", "The only sweep that is taken, from 0."),
        "junction_potential": ("junction potential", "mV", "Subtracted from the voltage; -50 to 50 mV."),
        "bridge": ("bridge", "MOhm", "Series resistance that is still in the voltage; -200 to 200 MOhm."),
    }
)
"""{setting: (what it is called, unit, what it means)}; each left empty is the reader's choice, or not known."""

_BETWEEN = {"junction_potential": (-50.0, 50.0), "bridge": (-200.0, 200.0)}


def described(file: Path) -> str:
    """Say what a recording holds, as the command `inspect` does.

    Args:
        file: The recording.

    Returns:
        Some lines; of one that can't be opened, the sentence that says so.
    """
    from hardware.inspection import inspect

    try:
        return outline(inspect(file))
    except Refusal as refusal:
        return str(refusal)


def typed(settings: ReplaySettings) -> dict[str, str]:
    """Write settings as one would type them.

    Args:
        settings: How a recording is read.

    Returns:
        {setting: its text}, empty where nothing is said.
    """
    told: dict[str, str] = {}
    for name in FIELDS:
        value = getattr(settings, name)
        if value is None:
            told[name] = ""
        elif name == "window":
            told[name] = " ".join(f"{edge:g}" for edge in value)
        elif name == "bridge":
            told[name] = f"{value / _MOHM:g}"
        else:
            told[name] = value if isinstance(value, str) else f"{value:g}"
    return told


def read_so(settings: ReplaySettings, texts: Mapping[str, str]) -> tuple[ReplaySettings, dict[str, str]]:
    """Understand what was typed.

    Args:
        settings: By which the recording was read so far.
        texts: {setting: what was typed}.

    Returns:
        Settings by which it is to be read, and {setting: a sentence} for what is not understood, which is left as it
        was.
    """
    faults: dict[str, str] = {}
    found: dict[str, object] = {}
    for name, text in texts.items():
        text = text.strip().replace("−", "-")
        if not text:
            found[name] = None
            continue
        try:
            found[name] = _understood(name, text)
        except ValueError as error:
            faults[name] = f"{FIELDS[name][0]}: '{text}' was given, {error} was wanted."
    return replace(settings, **found), faults  # type: ignore[arg-type]  # Named after its fields.


def _understood(name: str, text: str) -> object:
    """Read one field; the error says what was wanted."""
    if name in ("channel", "current_channel"):
        return text
    if name in ("epoch", "sweep"):
        if not text.isascii() or not text.isdigit():
            raise ValueError("a whole number from 0")
        return int(text)
    parts = text.replace("..", " ").split()
    if name == "window":
        edges = [_number(part, "a start from 0 ms and a later end") for part in parts]
        if len(edges) != 2 or not 0.0 <= edges[0] < edges[1]:
            raise ValueError("a start from 0 ms and a later end")
        return edges[0], edges[1]
    low, high = _BETWEEN[name]
    wanted = f"a number from {low:g} to {high:g} {FIELDS[name][1]}"
    value = _number(text, wanted)
    if not low <= value <= high:
        raise ValueError(wanted)
    return value * _MOHM if name == "bridge" else value


def _number(text: str, wanted: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(wanted) from error
    if value - value != 0.0:
        raise ValueError(wanted)
    return value
