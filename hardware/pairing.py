"""This file is pairing: which stimulus of an NWB file belongs to which response."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import h5py  # type: ignore[import-untyped]

from hardware.hdf5 import rows
from hardware.series import electrode, label, title

__all__ = ["Window", "pairs"]

_TABLE = "general/intracellular_ephys/intracellular_recordings"


@dataclass(frozen=True, eq=False)
class Window:
    """A stimulus with the stretch of it, and of the response, that make one sweep.

    Args:
        stimulus: The `h5py.Group` of the series.
        stimulus_start: Its first sample.
        stimulus_count: How many samples, or None for all.
        response_start: First sample of the response.
        response_count: How many samples, or None for all.
    """

    stimulus: h5py.Group
    stimulus_start: int = 0
    stimulus_count: int | None = None
    response_start: int = 0
    response_count: int | None = None


def pairs(file: h5py.File, responses: Sequence[h5py.Group], wanted: str | None = None) -> dict[str, list[Window]]:
    """Find the stimulus of each response: by the table, else by sweep number and electrode, else by name.

    Args:
        file: The open `h5py.File`.
        responses: The `h5py.Group` of each response.
        wanted: Label of the channel whose stimuli alone are taken; None takes those of any.

    Returns:
        {name of the response: its stimuli}: one, or a row of the table for each stretch of a long response; a
        response without one is not among them.
    """
    found = _by_table(file)
    presented = [g for g in file.get("stimulus/presentation", {}).values() if isinstance(g, h5py.Group)]
    if wanted is not None:
        presented = [g for g in presented if label(g) == wanted]
        found = {name: kept for name, ws in found.items() if (kept := [w for w in ws if label(w.stimulus) == wanted])}
    for response in responses:
        if response.name not in found:
            match = _by_number(response, presented) or _by_name(response, presented)
            if match is not None:
                found[response.name] = [Window(match)]
    return found


def _by_table(file: h5py.File) -> dict[str, list[Window]]:
    """Read the rows of the icephys table, which point to series by reference."""
    table = file.get(_TABLE)
    if table is None or "responses/response" not in table or "stimuli/stimulus" not in table:
        return {}
    found: dict[str, list[Window]] = {}
    for response, stimulus in zip(rows(table["responses/response"]), rows(table["stimuli/stimulus"]), strict=False):
        (a, n, to_response), (b, m, to_stimulus) = response, stimulus
        if n > 0 and m > 0 and to_response and to_stimulus:
            windows = found.setdefault(file[to_response].name, [])
            windows.append(Window(file[to_stimulus], int(b), int(m), int(a), int(n)))
    return found


def _by_number(response: h5py.Group, presented: list[h5py.Group]) -> h5py.Group | None:
    """Match by sweep number; several electrodes share one, so the electrode decides between them."""
    number = response.attrs.get("sweep_number")
    if number is None:
        return None
    same = [g for g in presented if g.attrs.get("sweep_number") == number]
    beside = [g for g in same if electrode(g) and electrode(g) == electrode(response)]
    if beside:
        same = beside
    return same[0] if len(same) == 1 else None


def _by_name(response: h5py.Group, presented: list[h5py.Group]) -> h5py.Group | None:
    """Match by the digits in the names, where they tell exactly one stimulus."""
    digits = re.findall(r"\d+", title(response))
    same = [g for g in presented if digits and re.findall(r"\d+", title(g)) == digits]
    return same[0] if len(same) == 1 else None
