"""This file is the family's section of a report: traces, f-I curve and figures of one real cell."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from estimators.checkpoint import Checkpoint
from estimators.features import FEATURES, NAMES
from rig_plugin.report.firing_plot import Interval, firing_plot
from rig_plugin.report.page import grid
from rig_plugin.report.trace_plot import trace_plot
from rig_plugin.tasks.cell import Cell
from rig_plugin.tasks.half import ASKED, Half, held
from rig_plugin.trial import Posterior

__all__ = ["family_section"]

_COUNT = NAMES.index("spike_count")
_TRACES = 3
_MOSTLY, _HALF = 0.8, 0.35

Array = npt.NDArray[np.float64]


def family_section(cell: Cell, both: Sequence[Half], checkpoint: Checkpoint) -> str:
    """Write the section.

    Args:
        cell: The recording.
        both: Its halves.
        checkpoint: The network.

    Returns:
        HTML.
    """
    return "\n".join(
        [
            f"<h2>{escape(cell.name)}</h2>",
            f'<div class="panel">{_facts(cell, both, checkpoint)}</div>',
            _traces(cell, both) if cell.traces else "",
            _firing(cell, both),
            _quantities(cell, both),
        ]
    )


def _facts(cell: Cell, both: Sequence[Half], checkpoint: Checkpoint) -> str:
    """Say the rheobase, what the count rests on, and what the model's error makes of the uncertainty."""
    rows = [["rheobase", _rheobase(cell, both)], ["spikes are predicted by", _share(both)]]
    rows.append(["model's error in the posterior", _blamed(both, checkpoint)])
    return grid(("", ""), rows, ())


def _rheobase(cell: Cell, both: Sequence[Half]) -> str:
    """Tell the estimates beside what was recorded."""
    fires = cell.counts > 0.0
    lowest = float(cell.currents[fires].min())
    silent = cell.currents[~fires & (cell.currents < lowest)]
    told = f"recorded: fires at {lowest:.0f} pA"
    told += f", silent up to {silent.max():.0f} pA" if silent.size else ", the lowest step"
    for half in both:
        found = half.rheobase[np.isfinite(half.rheobase)]
        if not found.size:
            told += "; no estimate"
            continue
        low, middle, high = np.quantile(found, [0.05, 0.5, 0.95])
        told += f"; estimated from {len(half.seen)} sweeps: {middle:.0f} pA ({low:.0f} to {high:.0f})"
    return f"{told}.".replace("-", "−")


def _share(both: Sequence[Half]) -> str:
    """Say in words what the forecast of the count rests on."""
    share = float(np.mean([half.forecast.share for half in both]))
    if share >= _MOSTLY:
        word = "the model"
    elif share >= _HALF:
        word = "the model and a straight line through the counts, about equally"
    else:
        word = "a straight line through the counts rather than the model"
    return f"{word} (the model's share is {100.0 * share:.0f} %)."


def _blamed(both: Sequence[Half], checkpoint: Checkpoint) -> str:
    """Say how much of each parameter's uncertainty is the model's error, where the network can tell."""
    draws = np.concatenate([half.forecast.sure for half in both])
    shares = [Posterior(checkpoint.spec.parameters, half.forecast.sure).blamed() for half in both]
    if not all(shares):
        return "this network does not infer it: its posterior takes the model for the truth."
    size = float(np.median(draws[:, checkpoint.spec.names.index("discrepancy")]))
    mean = {name: float(np.mean([share[name] for share in shares])) for name in shares[0]}
    told = ", ".join(f"{name} {100.0 * share:.0f} %" for name, share in sorted(mean.items(), key=lambda row: -row[1]))
    return f"typical error {size:.2f} of a feature's spread; its part in the variance of {told}."


def _traces(cell: Cell, both: Sequence[Half]) -> str:
    """Draw sweeps that were held out, each over draws that never saw it."""
    plots = []
    for sweep, words in _chosen(cell).items():
        half = next(half for half in both if sweep in half.asked)
        k = int(np.flatnonzero(half.asked == sweep)[0])
        simulated = half.forecast.traces(k, _TRACES)
        count = f"{cell.counts[sweep]:.0f} spike{'' if cell.counts[sweep] == 1 else 's'}"
        title = f"{cell.currents[sweep]:.0f} pA, {words}, {count} recorded [mV]".replace("-", "−")
        plot = trace_plot(cell.traces[sweep], simulated, cell.contexts[sweep], title)
        plots.append(f"<figure>{plot}</figure>")
    return (
        f'<div class="panel"><h3>Held-out sweeps</h3><div class="plots wide">{"".join(plots)}</div><p class="quiet">'
        f"Solid, dark: recorded. Dashed, coloured: simulated from {_TRACES} draws, over it or, where there are spikes, "
        "in rows below it. The draws are taken by their weights from what the other half of the sweeps says, and "
        "simulated under the same command. "
        "They are the model as it is: the error that is learned beside it corrects features, not traces. Where spikes "
        "fall is partly chance, so compare their number, shape and level.</p></div>"
    )


def _chosen(cell: Cell) -> dict[int, str]:
    """Choose a sweep below the rheobase, the one at it, one in the middle and the largest."""
    order = np.argsort(cell.currents, kind="stable")
    fires = [int(k) for k in order if cell.counts[k] > 0.0]
    lowest = cell.currents[fires[0]]
    silent = [int(k) for k in order if cell.counts[k] == 0.0 and cell.currents[k] < lowest]
    chosen = {silent[-1]: "below rheobase"} if silent else {}
    chosen[fires[0]] = "the lowest that fires"
    chosen.setdefault(fires[len(fires) // 2], "in the middle")
    chosen.setdefault(int(order[-1]), "the largest")
    return chosen


def _firing(cell: Cell, both: Sequence[Half]) -> str:
    """Draw the f-I curve twice, each half predicting the other."""
    plots = []
    for half, name in zip(both, ("first", "second"), strict=True):
        seen, asked = ((cell.currents[part], cell.counts[part]) for part in (half.seen, half.asked))
        with_error, without = ([_interval(part[:, _COUNT]) for part in drawn] for drawn in (half.drawn, half.unaided))
        plot = firing_plot(
            seen, asked, with_error, without, f"{cell.name}: spikes over current, the {name} half is seen"
        )
        plots.append(f"<figure>{plot}<figcaption>Sweeps {half.seen[0] + 1}, {half.seen[1] + 1}, ... are seen."
                     "</figcaption></figure>")  # fmt: skip
    return (
        f'<div class="panel"><h3>f-I curve</h3><div class="plots wide">{"".join(plots)}</div><p class="quiet">Full '
        "dots: sweeps that were seen. Open dots: held out; those outside their interval are filled in the colour of a "
        "warning. Bars: 90 % interval with the model's error. Thin lines: the same by the posterior alone; what is cut "
        "off at the top goes on.</p></div>"
    )


def _interval(drawn: Array) -> Interval:
    low, high = np.nanquantile(drawn, [0.05, 0.95])
    return float(low), float(high)


def _quantities(cell: Cell, both: Sequence[Half]) -> str:
    """Tabulate how often the intervals hold each quantity, and how wide they are."""
    found: dict[str, list[list[tuple[bool, float]]]] = {name: [[], []] for name in ASKED}
    for half in both:
        for sweep, with_error, without in zip(half.asked, half.drawn, half.unaided, strict=True):
            for side, draws in enumerate((with_error, without)):
                for name, is_held in held(draws, cell.rows[sweep]).items():
                    column = draws[:, NAMES.index(name)]
                    low, high = _interval(column) if np.isfinite(column).any() else (np.nan, np.nan)
                    found[name][side].append((is_held, (high - low) / 2.0))
    rows = []
    for name, sides in found.items():
        unit = FEATURES[NAMES.index(name)].unit
        row = [name.replace("_", " "), "" if unit == "1" else unit, str(len(sides[0]))]
        for told in sides:
            widths = [width for _, width in told if np.isfinite(width)]
            row.append(f"{100.0 * float(np.mean([is_held for is_held, _ in told])):.0f} %" if told else "none has it")
            row.append(f"±{float(np.median(widths)):.2g}" if widths else "")
        rows.append(row)
    columns = ("quantity", "unit", "sweeps", "inside, with the error", "half-width", "inside, alone", "half-width")
    return (
        f'<div class="panel"><h3>What was predicted</h3>{grid(columns, rows, (2, 3, 4, 5, 6))}<p class="quiet">Share '
        "of the held-out sweeps that have a quantity in which its 90 % interval holds it, and half the width of a "
        "typical interval.</p></div>"
    )
