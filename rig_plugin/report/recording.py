"""This file is the report on a recording: what an inspection found, and the sweeps with the part that is observed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from hardware.passage import Passage
from hardware.recording import RecordedSweep
from rig_plugin.commands.table import cell
from rig_plugin.report.frame import Frame
from rig_plugin.report.page import grid, page
from rig_plugin.widgets.envelope import envelope

__all__ = ["recording_page"]

_Trace = npt.NDArray[np.float64]
_MOST = 40
_BINS = 800
_WIDTH = 960.0
_FACTS = {
    "format": "kind",
    "rate_kHz": "rate [kHz]",
    "sweeps": "sweeps",
    "usable_sweeps": "of these usable",
    "duration_ms": "length [ms]",
    "clamp": "clamp",
    "clamp_source": "known",
    "stimulus_source": "stimulus from",
    "holding_pA": "holding [pA]",
    "holding_source": "holding from",
}


def recording_page(found: Mapping[str, Any], sweeps: Sequence[RecordedSweep], passages: Sequence[Passage]) -> str:
    """Make the page.

    Args:
        found: What the inspection found.
        sweeps: Of the recording; none where it was refused.
        passages: What is played of each.

    Returns:
        HTML.
    """
    facts = {name: cell(found[key]) for key, name in _FACTS.items() if found[key] is not None}
    facts["junction potential"] = cell(found["junction"]["state"])
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items())
    parts = [f'<h1>{escape(found["file"])}</h1>\n<dl class="facts">{rows}</dl>']
    if found["problems"]:
        said = "".join(f"<p>{escape(problem)}</p>" for problem in found["problems"])
        parts.append(f'<div class="panel"><h3>Worth knowing</h3>{said}</div>')
    if sweeps:
        parts.append(f'<section class="panel">{_plots(sweeps, passages)}</section>')
    parts += [_channels(found), *(_epochs(protocol) for protocol in found["protocols"]), _steps(found, passages)]
    return page(f"Inspection of {found['file']}", "\n".join(part for part in parts if part))


def _plots(sweeps: Sequence[RecordedSweep], passages: Sequence[Passage]) -> str:
    """Draw voltage and current of the sweeps over each other, the observed part on a band."""
    shown = [sweeps[k] for k in np.unique(np.linspace(0, len(sweeps) - 1, min(len(sweeps), _MOST)).astype(int))]
    last = max(s.duration for s in shown)
    bands = {
        (p.start / s.rate + p.stimulus.onset, p.start / s.rate + p.stimulus.onset + p.stimulus.step_duration)
        for s, p in zip(sweeps, passages, strict=True)
        if p.stimulus is not None
    }
    band = (min(a for a, _ in bands), max(b for _, b in bands)) if bands else None
    traces = [("voltage [mV]", [(s, s.response) for s in shown], 260.0)]
    traces.append(("current [pA]", [(s, s.command) for s in shown if s.command is not None], 150.0))
    drawn = [_plot(name, rows, height, last, band) for name, rows, height in traces if rows]
    some = f"{len(shown)} of {len(sweeps)} sweeps" if len(shown) < len(sweeps) else f"All {len(sweeps)} sweeps"
    told = f"{some}, the last one dark. " + ("Grey: the step that is observed." if band else "No step is observed.")
    return f"<figure>{''.join(drawn)}<figcaption>{told}</figcaption></figure>"


def _plot(
    name: str,
    rows: Sequence[tuple[RecordedSweep, _Trace]],
    height: float,
    last: float,
    band: tuple[float, float] | None,
) -> str:
    """Draw one quantity of some sweeps."""
    curves = [_seen(trace, s) for s, trace in rows]
    curves = [(t[np.isfinite(v)], v[np.isfinite(v)]) for t, v in curves]
    low = min((float(v.min()) for _, v in curves if v.size), default=-1.0)
    high = max((float(v.max()) for _, v in curves if v.size), default=1.0)
    room = max(0.05 * (high - low), 1.0)
    frame = Frame((0.0, last), (low - room, high + room), _WIDTH, height)
    parts = [frame.box(band, frame.y, "band")] if band else []
    for k, (times, values) in enumerate(curves):
        points = zip(times.tolist(), values.tolist(), strict=True)
        parts.append(frame.curve(points, "recorded" if k == len(curves) - 1 else "thin"))
    return frame.drawing(parts, name, across=(_ticks(0.0, last, 8), "time [ms]"), up=(_ticks(low, high, 5), name))


def _seen(trace: _Trace, sweep: RecordedSweep) -> tuple[_Trace, _Trace]:
    """Thin a trace out to what can be seen: corners of a command, else the extremes of each pixel."""
    changes = np.flatnonzero(np.diff(trace))
    if changes.size > _BINS:
        return envelope(trace, sweep.rate, 0.0, sweep.duration, _BINS)
    corners = np.unique(np.concatenate([[0, trace.size - 1], changes, changes + 1]))
    return corners / sweep.rate, trace[corners]


def _ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Choose round numbers."""
    span = max(high - low, 1e-9)
    decade = 10.0 ** math.floor(math.log10(span / most))
    step = next(decade * k for k in (1, 2, 5, 10, 20) if span / (decade * k) <= most)
    values = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
    return [(float(v), f"{v + 0.0:g}".replace("-", "−")) for v in values]


def _channels(found: Mapping[str, Any]) -> str:
    """Tabulate the channels."""
    rows = [[str(c["channel"]), c["name"], c["unit"], c["role"]] for c in found["channels"]]
    return f"<h2>Channels</h2>{grid(('channel', 'name', 'unit', 'taken as'), rows, (0,))}" if rows else ""


def _epochs(protocol: Mapping[str, Any]) -> str:
    """Tabulate the epochs of one protocol."""
    rows = [
        [
            str(e["epoch"]),
            f"{e['start_ms']:.1f}",
            f"{e['end_ms']:.1f}",
            " to ".join(dict.fromkeys(f"{level + 0.0:.0f}".replace("-", "−") for level in e["level_pA"])),
            "observed" if e["observed"] else "" if e["constant"] else "not constant",
        ]
        for e in protocol["epochs"]
    ]
    title = f"Epochs of {protocol['name']}" if protocol["name"] else "Epochs"
    return f"<h2>{escape(title)}</h2>{grid(('epoch', 'from [ms]', 'to [ms]', 'current [pA]', ''), rows, (0, 1, 2, 3))}"


def _steps(found: Mapping[str, Any], passages: Sequence[Passage]) -> str:
    """Tabulate the steps and their spikes."""
    spikes = found["spikes"] or [None] * len(passages)
    rows = [
        [
            str(p.file_sweep),
            f"{p.stimulus.amplitude:.1f}".replace("-", "−") if p.stimulus else "",
            cell(n) if p.stimulus else "",
            p.refusal or "",
        ]
        for p, n in zip(passages, spikes, strict=True)
    ]
    return f"<h2>Sweeps</h2>{grid(('sweep', 'step [pA]', 'spikes', ''), rows, (0, 1, 2))}" if rows else ""
