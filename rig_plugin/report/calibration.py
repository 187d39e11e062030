"""This file is the calibration report: what `check` found, as a page to read, to print and to keep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from estimators.aims import DEVIATION, LEVELS, POOLED, STRATUM, stray
from rig_plugin.report.coverage_plot import coverage_plot
from rig_plugin.report.page import grid, page
from rig_plugin.report.rank_plots import difference, histogram
from rig_plugin.report.scatter import scatter

__all__ = ["calibration_page"]

_SAID = {
    "pooled": "all cells, drawn blindly",
    "1": "1 sweep",
    "3": "2 to 3 sweeps",
    "10": "4 to 10 sweeps",
    "40": "11 to 40 sweeps",
    "spiking": "spiking",
    "silent": "silent",
    "random": "random currents",
    "family": "families of steps",
    "adaptive": "adaptive steps",
    "gain": "sweeps chosen for their expected gain",
}


def calibration_page(found: Mapping[str, Any], file: str, today: str) -> str:
    """Make the page.

    Args:
        found: What `estimators.calibration.check` gives.
        file: Name of the checkpoint's file.
        today: When it was checked.

    Returns:
        HTML.
    """
    parts = [_head(found, file, today), _explained(found), _strata(found), _misses(found)]
    parts.append("<h2>Sharpness and z-scores</h2>")
    parts.append(_scatters(found))
    parts.append(_legend())
    parts += [_parameter(found, name) for name in found["coverage"]]
    return page(f"Calibration of {found['network']}", "\n".join(parts))


def _head(found: Mapping[str, Any], file: str, today: str) -> str:
    """Say what was checked and how it came out."""
    facts = {
        "file": file,
        "seed": str(found["seed"]),
        "made": found["made"] or "unknown",
        "checked": today,
        "fresh cells": f"{found['n']}",
        "log probability of the truth": _minus(f"{found['log_prob']:.2f} nat (prior {found['prior_log_prob']:.2f})"),
    }
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items())
    kind = "verdict missed" if any(row["beyond_noise"] for row in found["missed"]) else "verdict"
    return (
        f'<h1>Calibration of {escape(found["network"])}</h1>\n<dl class="facts">{rows}</dl>\n'
        f'<p class="{kind}">{escape(_minus(found["verdict"]))}</p>'
    )


def _explained(found: Mapping[str, Any]) -> str:
    """Say how to read the page."""
    error = math.sqrt(0.25 / found["n"])
    tarp = ", ".join(f"{100 * share:.1f} at {level} %" for level, share in found["tarp"].items())
    return (
        '<p class="quiet">For each simulated cell, the true value is ranked among draws from its posterior. Of a '
        "calibrated network all ranks are equally frequent, and a central interval of 90 % holds the truth in 90 % of "
        f"the cells. Aims: coverage within {100 * POOLED:g} points over all cells and {100 * STRATUM:g} in each "
        f"stratum, ranks at most {DEVIATION:g} from uniform over all cells. The standard error of a coverage of 50 % "
        f"is {100 * error:.1f} points over all cells.</p>"
        f'<p class="quiet">All parameters together (TARP), expected coverage: {tarp}; its distribution is at most '
        f"{found['tarp_deviation']:.3f} from uniform (p = {found['tarp_p']:.2g}, reported and not judged: with enough "
        "cells every network fails).</p>"
    )


def _strata(found: Mapping[str, Any]) -> str:
    """Tabulate the strata: how many cells, what is farthest off, what is missed, in words."""
    coverages, deviations = _tables(found)
    rows = []
    for name, table in coverages.items():
        cells = found["n"] if name == "pooled" else found["cells"][name]
        if not cells:
            rows.append([_SAID.get(name, name), "0", "", "no cells", "no cells", "not judged"])
            continue
        off = [(share - LEVELS[level], one, level) for one, shares in table.items() for level, share in shares.items()]
        worst, parameter, level = max(off, key=lambda row: abs(row[0]))
        deviation, other = max((value, one) for one, value in deviations[name].items())
        misses = [row for row in found["missed"] if row["stratum"] == name]
        rows.append(
            [
                _SAID.get(name, name),
                str(cells),
                f"{100 * math.sqrt(0.25 / cells):.1f}",
                f"{parameter} at {level} %: {_minus(f'{100 * worst:+.1f}')}",
                f"{other}: {deviation:.3f} (noise {stray(cells):.3f})",
                _told(misses),
            ]
        )
    columns = ("stratum", "cells", "s.e. [points]", "farthest coverage [points]", "farthest ranks", "aims")
    learned = found.get("adaptive_cells", 0)
    return f"""<h2>In every corner</h2><div class="panel">{grid(columns, rows, (1, 2))}<p class="quiet">The
strata by design have 4 to 10 sweeps. Adaptive steps follow what the cell has answered. Of sweeps that are chosen, 2 to
10 for each cell, each but the first is the one of which this network expects most information; there its errors would
be sought out. It learned from {learned or "no"} cells whose steps followed the answers.</p></div>"""


def _tables(found: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Put what is pooled and what is in strata together, coverage and deviation."""
    coverages = {"pooled": found["coverage"], **found["coverage_by_sweeps"], **found["coverage_by_firing"]}
    return coverages | found["coverage_by_design"], {
        "pooled": found["sbc_deviation"],
        **found["sbc_deviation_by_stratum"],
    }


def _misses(found: Mapping[str, Any]) -> str:
    """List what misses its aim."""
    if not found["missed"]:
        return ""
    rows = []
    for row in found["missed"]:
        unit = 100.0 if row["figure"] == "coverage" else 1.0
        rows.append(
            [
                row["parameter"],
                _SAID.get(row["stratum"], row["stratum"]),
                f"coverage at {row['level']} %" if row["level"] else "ranks from uniform",
                f"{100 * row['value']:.1f} %" if row["level"] else f"{row['value']:.3f}",
                _minus(f"{100 * row['off']:+.1f}") if row["level"] else f"{row['off']:.3f}",
                f"{unit * row['aim']:g}",
                f"{100 * row['noise']:.1f}" if row["level"] else f"{row['noise']:.3f}",
                "surely missed" if row["beyond_noise"] else "may hold",
            ]
        )
    columns = ("parameter", "stratum", "figure", "value", "off", "aim", "noise", "the aim")
    return (
        f'<h2>What misses its aim</h2><div class="panel long">{grid(columns, rows, (3, 4, 5, 6))}<p class="quiet">'
        "Noise is what so many cells stray by in 19 of 20 cases. An aim is surely missed by what is off by more than "
        "aim and noise together. A perfectly calibrated network would stand here about "
        f"{found['missed_by_chance']:.0f} times by chance.</p></div>"
    )


def _scatters(found: Mapping[str, Any]) -> str:
    """Draw mean and spread of the z-scores against the contraction."""
    n = found["n"]
    mean = scatter(found["contraction"], found["z_mean"], right=0.0, noise=1.96 / math.sqrt(n), name="mean z-score")
    spread = scatter(
        found["contraction"], found["z_sd"], right=1.0, noise=1.96 / math.sqrt(2 * n), name="spread of z-scores"
    )
    return (
        f'<div class="panel"><div class="plots wide"><figure>{mean}<figcaption>Mean z-score of the truth in its '
        "posterior; off zero is a bias.</figcaption></figure>"
        f"<figure>{spread}<figcaption>Standard deviation of the z-scores; above one is too sure, or sure and wrong in "
        "a few cells.</figcaption></figure></div></div>"
    )


def _legend() -> str:
    """Say once what each parameter's three plots show."""
    return (
        '<h2>Parameter by parameter</h2><p class="quiet">Left: how often each rank comes; 99 of 100 bars of a '
        "calibrated network end between the dashed lines. Middle: the ranks' distribution less the uniform one, which "
        f"stays in the grey band 19 times in 20; dotted is the aim of {DEVIATION:g}. Right: coverage less level; the "
        f"heavy line is over all cells, its aim of {100 * POOLED:g} points grey; thin lines are the strata, their aim "
        f"of {100 * STRATUM:g} points dotted, and the farthest is named.</p>"
    )


def _parameter(found: Mapping[str, Any], name: str) -> str:
    """Draw one parameter's three plots."""
    counts = found["rank_counts"][name]
    coverages, _ = _tables(found)
    strata = {_SAID.get(key, key): table[name] for key, table in coverages.items() if key != "pooled"}
    misses = [row for row in found["missed"] if row["parameter"] == name]
    told = {
        "90 % interval holds": f"{100 * found['coverage'][name]['90']:.1f} %",
        "ranks from uniform": f"{found['sbc_deviation'][name]:.3f} (p = {found['sbc_p'][name]:.2g})",
        "contraction": f"{found['contraction'][name]:.2f}",
        "z-score": _minus(f"{round(found['z_mean'][name], 2) + 0.0:.2f} ± {found['z_sd'][name]:.2f}"),
        "aims": _told(misses),
    }
    facts = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in told.items())
    plots = (
        histogram(counts, name),
        difference(counts, name),
        coverage_plot(found["coverage"][name], strata, name),
    )
    figures = "".join(f"<figure>{plot}</figure>" for plot in plots)
    return (
        f'<section class="panel"><h3>{escape(name)}</h3><dl class="facts">{facts}</dl>'
        f'<div class="plots">{figures}</div></section>'
    )


def _minus(text: str) -> str:
    """Write signs as they are printed."""
    return text.replace("-", "−")


def _told(misses: Sequence[Mapping[str, Any]]) -> str:
    """Say in words how many aims are missed."""
    return f"MISSED {len(misses)}, {sum(row['beyond_noise'] for row in misses)} surely" if misses else "all met"
