"""This file is the pair plot: which parameters go together, and what one has to do when others are held."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from estimators.slices import MOST
from rig_plugin.feed import Sliced
from rig_plugin.trial import Posterior, Trial
from rig_plugin.widgets import density, joint
from rig_plugin.widgets.corner import Corner, Curve, Map, Picture, Span
from rig_plugin.widgets.cut import Cut
from rig_plugin.widgets.number import significant, with_unit
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, Signal
from rig_plugin.widgets.shade import image, shades
from rig_plugin.widgets.verdict import verdict
from simulators.parameter import Parameter

__all__ = ["Pairs"]

_FIRST = 4
_WANTING = "Slices are computed after the next sweep."
_TIP = (
    "Below the diagonal: the posterior's draws, with the regions of 50 % and 90 %.\n"
    "Above it: slices, the density of a pair while all other parameters are held at one draw, that of the highest\n"
    "density (ring); r is the correlation of the pair then. Dashed on the diagonal: one parameter, all others held.\n"
    "Grey on the diagonal: the prior. Slices of an earlier sweep are grey."
)

Array = npt.NDArray[np.float64]


class Pairs(Panel):
    """A corner plot of some parameters: draws below the diagonal, conditional slices above it.

    A withheld posterior is the prior with the reason across it, never the last good one. Slices are asked for while
    the panel is visible: `looked` emits the names, and none once it is hidden.

    Args:
        parameters: Those that can be chosen; the first four are.
        parent: Owner, as in Qt.
    """

    looked = Signal(object)

    def __init__(self, parameters: Sequence[Parameter], parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Pairs", "Pairs of parameters appear here after the first sweep.", parent)
        self._parameters = {parameter.name: parameter for parameter in parameters}
        self._names = list(self._parameters)[:_FIRST]
        self._trial: Trial | None = None
        self._cut: Cut | None = None
        self._spans: dict[str, Span] = {}
        self._is_away = False
        self._count = QtWidgets.QComboBox()
        self._count.addItems([f"{k} parameters" for k in range(2, min(MOST, len(self._parameters)) + 1)])
        self._count.setCurrentText(f"{len(self._names)} parameters")
        self._count.setToolTip("How many parameters stand against each other.")
        self._count.currentIndexChanged.connect(lambda index: self.choose(self._more(index + 2)))
        self._top.insertWidget(1, self._count)
        # What stands beside the heading never makes the panel wider.
        self._aside.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred)
        self._aside.setAlignment(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)
        self._top.setStretchFactor(self._aside, 100)
        self._choices = [self._choice(k) for k in range(min(MOST, len(self._parameters)))]
        self._corner = Corner(self._choices, self._read)
        self._aside.setToolTip(_TIP)
        self._body.addWidget(self._corner, 1)
        self.wear(self.theme)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that are shown."""
        return tuple(self._names)

    @property
    def picture(self) -> Picture:
        """What is painted."""
        return self._corner.picture

    def choose(self, names: Sequence[str]) -> None:
        """Show other parameters.

        Args:
            names: Theirs, two to five; where one is unknown or doubled nothing changes.
        """
        if not 2 <= len(names) <= MOST or len(set(names)) != len(names) or not set(names) <= set(self._parameters):
            return
        if list(names) == self._names:
            return
        self._names = list(names)
        self._draw()
        if self.isVisible():
            self.looked.emit(self.names)

    def slice(self, sliced: Sliced) -> None:
        """Show slices of a trial's posterior.

        Args:
            sliced: Of the newest trial, or of one before it; these are grey.
        """
        self._cut = Cut(sliced)
        self._draw()

    def attend(self, seen: bool) -> None:
        """Ask for slices while somebody sees them.

        Args:
            seen: Whether it is neither behind another panel nor closed.
        """
        was_away, self._is_away = self._is_away, not seen
        super().attend(seen)
        if was_away and seen:
            self._draw()
        self.looked.emit(self.names if seen and len(self._names) > 1 else ())

    def showEvent(self, event: QtGui.QShowEvent) -> None:
        """See, as soon as it has its place, whether it is to be seen there."""
        super().showEvent(event)
        QtCore.QTimer.singleShot(0, self._look_around)

    def hideEvent(self, event: QtGui.QHideEvent) -> None:
        """Ask for no slices that nobody sees."""
        super().hideEvent(event)
        self.attend(False)

    def _look_around(self) -> None:
        self.attend(self.isVisible() and not self.visibleRegion().isEmpty())

    def _choice(self, k: int) -> QtWidgets.QComboBox:
        choice = QtWidgets.QComboBox()
        choice.addItems(list(self._parameters))
        choice.setToolTip("Parameter of this column and of its row; one that is shown already changes places with it.")
        choice.activated.connect(lambda index: self._swap(k, list(self._parameters)[index]))
        return choice

    def _swap(self, k: int, name: str) -> None:
        """Show another parameter in a column; where it stands already the two change places."""
        names = list(self._names)
        if name in names:
            names[names.index(name)] = names[k]
        names[k] = name
        self.choose(names)

    def _more(self, count: int) -> list[str]:
        """Give so many names: those that are shown first."""
        rest = [name for name in self._parameters if name not in self._names]
        return [*self._names, *rest][:count]

    def _take(self, trial: Trial) -> None:
        self._trial = trial

    def _clear(self) -> None:
        self._trial = self._cut = None
        self._spans.clear()

    def _draw(self) -> None:
        if self._is_away:
            # Behind another tab: drawn when it comes to the front.
            return
        trial = self._trial
        shown = trial.posterior if trial is not None and verdict(trial) != "withheld" else None
        for choice, name in zip(self._choices, self._names, strict=False):
            choice.setCurrentText(name)
        self._count.blockSignals(True)
        self._count.setCurrentText(f"{len(self._names)} parameters")
        self._count.blockSignals(False)
        self._corner.wear(self.theme)
        if shown is None or not set(self._names) <= {p.name for p in shown.parameters}:
            self._corner.paint(self._prior())
        else:
            self._corner.paint(self._posterior(shown))
        if trial is None:
            self._aside.setText("the prior")
        elif shown is None:
            self._aside.setText("prior, posterior withheld")
            self.warn(f"Posterior withheld. {trial.trust.reason or 'No reason was given.'}")
            # The frame of the warning comes with a style sheet, which takes their colours from them.
            self._wear()
        else:
            of = "" if self._cut is None or self._cut.trial == trial.index else f" at trial {self._cut.trial}"
            self._aside.setText(f"below: draws   above: others held{of}")
            self.say("")

    def _prior(self) -> Picture:
        chosen = tuple(self._parameters[name] for name in self._names)
        whole = tuple((0.0, 1.0) for _ in chosen)
        curves = {k: [self._known(density.prior(p), (0.0, 1.0), 4.0)] for k, p in enumerate(chosen)}
        table = shades(self.theme.panel, self.theme.past)
        maps = {}
        for row, up in enumerate(chosen):
            for column, across in enumerate(chosen):
                plane = np.outer(density.prior(across), density.prior(up))
                # All of them have the height of an even one at least, so that what is flat does not look like a peak.
                top = max(float(plane.max()), 3.0)
                maps[row, column] = Map(image(plane, table, top), (0.0, 1.0), (0.0, 1.0))
        return Picture(chosen, whole, curves, maps)

    def _posterior(self, shown: Posterior) -> Picture:
        chosen = tuple(self._parameters[name] for name in self._names)
        known = [p.name for p in shown.parameters]
        draws = [shown.draws[:, known.index(p.name)] for p in chosen]
        places = [np.clip(density.position(p, column), 0.0, 1.0) for p, column in zip(chosen, draws, strict=True)]
        spans = tuple(self._span(p.name, column) for p, column in zip(chosen, places, strict=True))
        cut, theme = self._cut, self.theme
        is_now = cut is not None and self._trial is not None and cut.trial == self._trial.index
        colour = theme.now if is_now else theme.past
        curves: dict[int, list[Curve]] = {}
        maps: dict[tuple[int, int], Map] = {}
        for k, (parameter, span) in enumerate(zip(chosen, spans, strict=True)):
            marginal = density.drawn(parameter, draws[k], span)
            top = max(float(marginal.max()), 1.6)
            curves[k] = [
                self._known(density.prior(parameter, span), span, top),
                Curve(_middles(span), marginal / top, theme.now, True),
            ]
            line = cut.line(parameter) if cut is not None else None
            if line is not None:
                curves[k].append(Curve(*line, theme.text if is_now else theme.past, False))
            for j in range(k):
                maps[k, j] = self._drawn(places[j], places[k], spans[j], span)
                sliced = cut.map(chosen[k], chosen[j], colour, theme) if cut is not None else None
                if sliced is not None:
                    maps[j, k] = sliced
        pairs = len(chosen) * (len(chosen) - 1)
        reference = None if cut is None else cut.reference(chosen)
        return Picture(chosen, spans, curves, maps, reference, _WANTING if len(maps) < pairs else "")

    def _known(self, prior: Array, span: Span, top: float) -> Curve:
        return Curve(_middles(span), prior / top, self.theme.past, True)

    def _drawn(self, x: Array, y: Array, across: Span, up: Span) -> Map:
        """Map the draws of a pair."""
        plane = joint.drawn(x, y, across, up)
        outlines = [joint.isoline(plane, level) for level in joint.levels(plane)]
        table = shades(self.theme.panel, self.theme.now)
        return Map(image(plane, table), across, up, outlines, self.theme.text)

    def _span(self, name: str, places: Array) -> Span:
        """Choose which part of an axis is visible; it stays as it is while the draws fit well into it."""
        low, high = (float(end) for end in np.quantile(places, [0.005, 0.995]))
        air = max(0.25 * (high - low), 0.004)
        wanted = max(low - air, 0.0), min(high + air, 1.0)
        kept = self._spans.get(name)
        if kept is not None and kept[0] <= low and high <= kept[1] and kept[1] - kept[0] < 2 * (wanted[1] - wanted[0]):
            return kept
        self._spans[name] = wanted
        return wanted

    def _read(self, row: int, column: int, x: float, y: float) -> str:
        """Say what stands at a point, in units."""
        shown = self._corner.picture
        values = [
            f"{p.name} {with_unit(significant(density.value(p, min(max(place, 0.0), 1.0))), p.unit)}"
            for p, place in ((shown.parameters[column], x), (shown.parameters[row], y))
        ]
        if row == column:
            return values[0]
        told = "\n".join(values)
        if row < column and self._cut is not None and (row, column) in shown.maps:
            share = self._cut.share(shown.parameters[column], shown.parameters[row], x, y)
            told += f"\nothers held: {share:.2f} of the highest density"
        return told

    def _wear(self) -> None:
        for choice in (self._count, *self._choices):
            choice.setPalette(self.theme.palette())


def _middles(span: Span) -> Array:
    """Give the places of a curve's points."""
    return np.asarray(span[0] + (np.arange(density.BINS) + 0.5) / density.BINS * (span[1] - span[0]))
