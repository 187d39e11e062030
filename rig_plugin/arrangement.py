"""This file is the arrangement: where the panels stand until somebody moves them."""

from __future__ import annotations

from typing import Final

from rig_plugin.widgets.docks import Arrangement

__all__ = ["ARRANGEMENT"]

ARRANGEMENT: Final[Arrangement] = (
    (
        29,
        (
            (22, ((1, ("scope",)),)),
            (7, ((1, ("membrane",)),)),
            (13, ((10, ("features", "log", "script")), (3, ("firing",)), (3, ("voltage",)))),
        ),
    ),
    (
        25,
        (
            (8, ((1, ("trust",)),)),
            (21, ((1, ("posterior", "pairs", "protocol", "drug")),)),
            (9, ((1, ("evolution", "recording")),)),
        ),
    ),
)
"""In the order in which an eye looks for them: the cell, whether it can be trusted, what it is."""
