"""This file is the scope: the live sweep over the last ones, or the whole session to scroll back in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from estimators.overlay import Overlay
from rig_plugin.feed import Live, Overlaid
from rig_plugin.proposal import Proposed
from rig_plugin.trial import Trial, laid_out
from rig_plugin.widgets.chronicle import Chronicle
from rig_plugin.widgets.lanes import Lanes
from rig_plugin.widgets.measurement import COLUMNS
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import Action, QtCore, QtGui, QtWidgets
from rig_plugin.widgets.scroll_back import ScrollBack
from rig_plugin.widgets.stimulus_text import describe
from rig_plugin.widgets.sweep_view import SweepView, crossings
from rig_plugin.widgets.theme import figures

__all__ = ["Scope", "crossings"]

_STEP, _LEAP = 1.0, 20.0
_SCROLLED, _LEAPT = 0.1, 0.9
_ZOOM = 1.5
_OFF, _ON = "○", "●"
_MARGINS, _LETTERS, _LEAST = 20, 11, 7
_SLIM = 0.61
"""Width of a letter of the face for numbers, of its height."""


class Scope(Panel):
    """Response, command and further channels: as sweeps over one another, or as the session came.

    Args:
        parent: Owner, as in Qt.
    """

    _warning_at = 0.8

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Scope", "Space starts. The response appears here, sample by sample.", parent)
        self._live: Live | None = None
        self._trial: int | None = None
        self.chronicle = Chronicle()
        self.sweep = SweepView()
        self.session = ScrollBack(self.chronicle)
        self._views: tuple[Lanes, Lanes] = (self.sweep, self.session)
        self._stack = QtWidgets.QStackedWidget()
        self._readings = QtWidgets.QLabel("")
        self._readings.setObjectName("readings")
        self._readings.setVisible(False)
        # A narrow panel stays narrow and shows the first columns.
        self._readings.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
        self._readings.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self.back = _switch("The whole session on one axis of time; wheel zooms, drag scrolls.", self.scroll_back)
        self.cursors = _switch("Two cursors with what lies under and between them; arrow keys move.", self.measure)
        self.follow = _switch("Follow the newest samples again.", self.newest)
        self._arrange()
        self.wear(self.theme)

    @property
    def shown(self) -> npt.NDArray[np.float64]:
        """The bright trace of the newest sweep, shape (n,); empty where there is none."""
        if self._live is not None and self.is_scrolled_back:
            return self._live.response
        return self.sweep.shown

    @property
    def past(self) -> int:
        """How many sweeps lie faintly behind it."""
        return self.sweep.past

    @property
    def overlaid(self) -> Overlay | None:
        """The band behind it, or None where there is none."""
        return self.sweep.overlaid

    @property
    def is_scrolled_back(self) -> bool:
        """Whether the session is shown and not the sweep."""
        return self._stack.currentWidget() is self.session

    @property
    def is_measuring(self) -> bool:
        """Whether the cursors are shown."""
        return self.cursors.isChecked()

    @property
    def readings(self) -> str:
        """What stands under the charts while the cursors are shown."""
        return "" if self._readings.isHidden() else self._readings.text()

    def begin(self, live: Live) -> None:
        """Be told that a sweep begins: what was bright becomes faint.

        Args:
            live: The sweep as it comes in.
        """
        self._settle()
        self._live = live
        self.chronicle.begin(live)
        self.sweep.begin(live)
        self.session.begin(live)
        where = "" if live.file_sweep is None else f"file sweep {live.file_sweep}   "
        self._aside.setText(where + describe(live.stimulus))
        self.say("")
        self._refresh()

    def grow(self, live: Live) -> None:
        """Be told that samples came.

        Args:
            live: The same sweep.
        """
        if live.unshown:
            self._aside.setText(f"{live.unshown} samples past the end of the stimulus are not drawn")
        if self.is_scrolled_back:
            self.session.draw()
            return
        self.chronicle.follow()
        self.sweep.grow(live)
        self._measure()

    def overlay(self, overlaid: Overlaid) -> None:
        """Be told what the cells of a trial's posterior do; drawn only over that trial's own trace.

        Args:
            overlaid: The trial's number and the band.
        """
        if self._live is None and overlaid.trial == self._trial and self.sweep.shown.size:
            self.sweep.shade(overlaid.overlay)

    def propose(self, proposed: Proposed) -> None:
        """Be told what is next, which after a skip is no more what the last trial said.

        Args:
            proposed: The newest one.
        """
        if self._live is None:
            self.sweep.plan(laid_out(proposed.stimulus))

    def fail(self, reason: str) -> None:
        """Be told that the session broke off.

        Args:
            reason: A sentence.
        """
        self._settle()
        self.warn(reason)

    def scroll_back(self, is_on: bool | None = None) -> None:
        """Change between the sweep and the session.

        Args:
            is_on: Whether the session is to be shown; None takes the other one.
        """
        is_on = not self.is_scrolled_back if is_on is None else is_on
        before = self._view
        self._stack.setCurrentWidget(self.session if is_on else self.sweep)
        self.back.setChecked(is_on)
        self.follow.setVisible(is_on)
        if self._view is not before:
            before.cursors.show(False)
            self._refresh()
            self._view.cursors.show(self.is_measuring)
        self._label()

    def measure(self, is_on: bool | None = None) -> None:
        """Show the cursors, or take them away.

        Args:
            is_on: Whether they are to be shown; None takes the other.
        """
        is_on = not self.is_measuring if is_on is None else is_on
        self.cursors.setChecked(is_on)
        self._readings.setVisible(is_on)
        self._view.cursors.show(is_on)
        if is_on:
            self.setFocus(QtCore.Qt.FocusReason.OtherFocusReason)
        self._label()
        self._measure()

    def newest(self) -> None:
        """Follow the newest samples again."""
        self.session.follow()

    def note(self) -> None:
        """Hold this moment of the session for the next mark that has a text."""
        self.chronicle.note()

    def mark(self, text: str = "") -> None:
        """Mark this moment of the session, or with a text the one that was held.

        Args:
            text: What for.
        """
        self.chronicle.mark(text)
        if self.is_scrolled_back:
            self.session.draw()

    @property
    def _view(self) -> Lanes:
        return self.session if self.is_scrolled_back else self.sweep

    def _arrange(self) -> None:
        for place, switch in enumerate((self.back, self.cursors, self.follow), start=1):
            self._top.insertWidget(place, switch)
        self.follow.setCheckable(False)
        self.follow.setVisible(False)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.ClickFocus)
        for view in self._views:
            self._stack.addWidget(view)
            view.measured.connect(self._measure)
        self.session.followed.connect(lambda _: self._label())
        self._body.addWidget(self._stack, 1)
        self._body.addWidget(self._readings)
        keys: dict[str, Callable[[], None]] = {
            "Left": lambda: self._go(-_STEP, -_SCROLLED), "Right": lambda: self._go(_STEP, _SCROLLED),
            "Shift+Left": lambda: self._go(-_LEAP, -_LEAPT), "Shift+Right": lambda: self._go(_LEAP, _LEAPT),
            "Up": lambda: self._turn(1 / _ZOOM), "Down": lambda: self._turn(_ZOOM),
            "Home": self._oldest, "End": self.newest,
        }  # fmt: skip
        for key, act in keys.items():
            made = Action(self)
            made.setShortcut(QtGui.QKeySequence(key))
            # Elsewhere in the window the arrows do what they do there.
            made.setShortcutContext(QtCore.Qt.ShortcutContext.WidgetWithChildrenShortcut)
            made.triggered.connect(lambda _=False, act=act: act())
            self.addAction(made)
        self._label()

    def _go(self, steps: float, share: float) -> None:
        """Move the chosen cursor, or without cursors what is visible of the session."""
        if self.is_measuring:
            self._view.nudge(steps)
        elif self.is_scrolled_back:
            self.session.pan(share)

    def _turn(self, factor: float) -> None:
        """Choose the other cursor, or without cursors zoom in the session."""
        if self.is_measuring:
            self._view.cursors.choose()
        elif self.is_scrolled_back:
            self.session.zoom(factor)

    def _oldest(self) -> None:
        if self.is_scrolled_back:
            left, right = self.session.visible
            self.session.look(self.chronicle.oldest, self.chronicle.oldest + right - left)

    def _take(self, trial: Trial) -> None:
        if self._live is None:
            self.sweep.retire()
        else:
            self.chronicle.name(f"trial {trial.index}")
        self._live, self._trial = None, trial.index
        if trial.sweep is None:
            self.sweep.empty()
            self.say(f"Trial {trial.index} could not be read as a sweep. {trial.trust.reason or ''}".strip())
            return
        self.say("")
        self.sweep.end(trial.sweep, trial.next_stimulus)
        self._aside.setText(describe(trial.sweep.stimulus))

    def _clear(self) -> None:
        self._live = self._trial = None
        self.chronicle.clear()
        self.sweep.forget()
        self.session.forget()
        self._aside.setText("")

    def _draw(self) -> None:
        self.sweep.draw()
        if self.is_scrolled_back:
            self.session.draw()
        self._measure()

    def _wear(self) -> None:
        for view in self._views:
            view.wear(self.theme)
        self._fit()

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Have the readings fit."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Choose the largest letters up to the usual ones in which a line of the readings has room."""
        room = int((self.width() - _MARGINS) / (COLUMNS * _SLIM))
        self._readings.setFont(figures(max(min(room, self.theme.pixels(_LETTERS)), _LEAST)))

    def _settle(self) -> None:
        """Have all of the last sweep, however it ended."""
        if self._live is not None:
            self.sweep.grow(self._live)
            self.chronicle.follow()
        self._live = None

    def _refresh(self) -> None:
        """Bring the view that is seen up to date."""
        if self.is_scrolled_back:
            self.session.draw()
        elif self._live is not None:
            self.sweep.grow(self._live)

    def _measure(self) -> None:
        if self.is_measuring:
            self._readings.setText(self._view.table())

    def _label(self) -> None:
        """Say on the switches how they stand, not by colour alone."""
        self.back.setText(f"{_ON if self.is_scrolled_back else _OFF} scroll back")
        self.cursors.setText(f"{_ON if self.is_measuring else _OFF} cursors")
        self.follow.setText("newest ▸")
        self.follow.setEnabled(not self.session.is_following)


def _switch(tip: str, act: Callable[[], None]) -> QtWidgets.QPushButton:
    """Make a small button that never takes the keys."""
    button = QtWidgets.QPushButton()
    button.setCheckable(True)
    button.setStyleSheet("QPushButton { padding: 1px 8px; }")
    button.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
    button.setToolTip(tip)
    button.clicked.connect(lambda: act())
    return button
