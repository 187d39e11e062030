"""This file is the family's builder: the family that is played, how it is changed, and the sweep that is next."""

from __future__ import annotations

from collections.abc import Mapping

from rig_plugin.feed import Live
from rig_plugin.history import History
from rig_plugin.proposal import Proposed
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.review import Judge, Review, all_read, review
from rig_plugin.stretch import Hold
from rig_plugin.trial import Trial
from rig_plugin.widgets.family import FamilyForm
from rig_plugin.widgets.next_stimulus import NextStimulus
from rig_plugin.widgets.number import lasting, significant
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.preview import Preview
from rig_plugin.widgets.qt import QtCore, QtWidgets, Signal
from simulators.limits import Limits
from simulators.stimulus import Stimulus

__all__ = ["FamilyBuilder"]

_LIMITS = Limits()
_KEPT = 1000


class FamilyBuilder(Panel):
    """A family's fields beside all its sweeps, under the sweep that is next; of a recording, its sweeps as they come.

    What is changed here is played by nobody until it is applied, and a session that runs keeps what it began with.

    Args:
        settings: What the rig file says; None for a recording, whose sweeps were played already.
        limits: What may be put into the cell.
        judge: Tells what the network can't read.
        is_alive: Whether there is a cell, which needs its rest; None where sweeps follow as fast as can be.
        parent: Owner, as in Qt.
    """

    applied = Signal(object)
    accepted = Signal()
    skipped = Signal()
    gated = Signal(str)

    def __init__(
        self,
        settings: ProtocolSettings | None,
        limits: Limits = _LIMITS,
        judge: Judge = all_read,
        is_alive: bool | None = True,
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        promise = "" if settings is not None else "The file's sweeps appear here, one by one, as they are gone through."
        super().__init__("Protocol", promise, parent)
        self._limits, self._judge, self._is_alive = limits, judge, is_alive
        self._original = settings
        first = settings or ProtocolSettings()
        self._history = History(first)
        self._applied = self._running = first
        self._is_running = False
        self._misread = ""
        self._review = Review()
        self._played: list[Stimulus] = []
        self.next = NextStimulus()
        self.form, self.preview = FamilyForm(first), Preview(limits)
        self._words = QtWidgets.QLabel("")
        self.undo_button, self.redo_button = QtWidgets.QPushButton("Undo"), QtWidgets.QPushButton("Redo")
        self.reset_button, self.apply_button = QtWidgets.QPushButton("As at first"), QtWidgets.QPushButton("Apply")
        self._lay_out()
        self._connect()
        self._look()
        self.wear(self.theme)

    @property
    def settings(self) -> ProtocolSettings:
        """The family as it stands in the fields."""
        return self._history.now

    @property
    def is_replay(self) -> bool:
        """Whether there is nothing to be changed."""
        return self._original is None

    def words(self) -> str:
        """Read what stands under the fields, and beside the heading."""
        return f"{self._aside.text()} | {self._words.text()}"

    def judge_by(self, judge: Judge) -> None:
        """Have another network judge.

        Args:
            judge: Tells what it can't read.
        """
        self._judge = judge
        self._look()
        self._draw()

    def undo(self) -> None:
        """Take the last change back."""
        self._go(self._history.undo())

    def redo(self) -> None:
        """Make a change again that was taken back."""
        self._go(self._history.redo())

    def reset(self) -> None:
        """Go back to what the rig file says."""
        if self._original is not None:
            self._history.take(self._original)
            self._go(self._original)

    def apply(self) -> None:
        """Have it played from the next start on, where it can be."""
        if self.apply_button.isEnabled():
            self._applied = self.settings
            self.applied.emit(self._applied)
            self._draw()

    def propose(self, proposed: Proposed) -> None:
        """Be told what is next.

        Args:
            proposed: The newest one.
        """
        self.next.propose(proposed)
        self.preview.show_next(proposed.stimulus)
        if self.is_replay:
            self.say("")

    def begin(self, live: Live) -> None:
        """Be told that a sweep is played.

        Args:
            live: As it comes in.
        """
        self.next.begin(live)

    def enter(self, running: bool) -> None:
        """Be told whether a session runs.

        Args:
            running: Whether it does.
        """
        if running and not self._is_running:
            self._running = self._applied
        self._is_running = running
        if not running:
            self.next.end()
            self.preview.show_next(None)
        self._draw()

    def take(self, *trials: Trial) -> None:
        """Show what a recording holds; a family does not change by being played."""
        if self.is_replay:
            super().take(*trials)

    def _lay_out(self) -> None:
        self._area = area = QtWidgets.QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self.form)
        self._words.setObjectName("plain")
        self._words.setWordWrap(True)
        self._words.setAlignment(QtCore.Qt.AlignmentFlag.AlignTop)
        self._words.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        middle = QtWidgets.QHBoxLayout()
        middle.setSpacing(8)
        middle.addWidget(area, 1)
        middle.addWidget(self.preview, 1)
        self._foot = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(self._foot)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self.undo_button, self.redo_button, self.reset_button):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.apply_button)
        for button in (self.undo_button, self.redo_button, self.reset_button, self.apply_button):
            button.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        self._body.addWidget(self.next)
        self._body.addLayout(middle, 1)
        self._body.addWidget(self._words)
        self._body.addWidget(self._foot)
        for widget in (area, self._foot):
            widget.setVisible(not self.is_replay)

    def _connect(self) -> None:
        for ours, theirs in (
            (self.next.accepted, self.accepted),
            (self.next.skipped, self.skipped),
            (self.next.gated, self.gated),
        ):
            ours.connect(theirs)
        self.form.edited.connect(self._edit)
        self.form.misread.connect(self._misunderstand)
        self.undo_button.clicked.connect(lambda: self.undo())
        self.redo_button.clicked.connect(lambda: self.redo())
        self.reset_button.clicked.connect(lambda: self.reset())
        self.reset_button.setToolTip("What the rig file says, or what a rig without one plays.")
        self.apply_button.clicked.connect(lambda: self.apply())

    def _edit(self, settings: ProtocolSettings) -> None:
        self._misread = ""
        self._history.take(settings)
        self._look()
        self._draw()

    def _go(self, settings: ProtocolSettings | None) -> None:
        if settings is not None:
            self.form.show_settings(settings)
            self._edit(settings)

    def _misunderstand(self, sentence: str) -> None:
        self._misread = sentence
        self._draw()

    def _look(self) -> None:
        """Look the family over, whenever it or who judges it has changed."""
        if not self.is_replay:
            self._review = review(self.settings, self._limits, self._judge, self._is_alive)
            settings, found = self.settings, self._review
            held = (Hold(settings.holding, settings.gap_free).page,) if settings.gap_free else ()
            self.preview.show_family(found.stimuli or held, found.unread)

    def _faults(self) -> Mapping[str, str]:
        return {"amplitudes": self._misread} if self._misread else self._review.faults

    def _take(self, trial: Trial) -> None:
        stimulus = trial.sweep.stimulus if trial.sweep is not None else None
        if self.is_replay and stimulus is not None and len(self._played) < _KEPT:
            self._played.append(stimulus)

    def _clear(self) -> None:
        self._played.clear()
        self.next.end()
        self.preview.show_next(None)

    def _draw(self) -> None:
        if self.is_replay:
            self._draw_replay()
            return
        faults = self._faults()
        self.form.blame(faults)
        self._aside.setText(self._told())
        told = [f"▲ {_NAMES.get(name, '')}{sentence}" for name, sentence in faults.items()]
        if not told and self._review.remark:
            told.append(f"▲ {self._review.remark}")
        tone = self.theme.caution if told else self.theme.quiet
        self._words.setStyleSheet(f"color: {tone};")
        self._words.setText("\n".join(told) or self._state())
        self.undo_button.setEnabled(self._history.can_undo)
        self.redo_button.setEnabled(self._history.can_redo)
        self.reset_button.setEnabled(self.settings != self._original)
        self.apply_button.setEnabled(not faults and self.settings != self._applied)
        why = " ".join(faults.values()) or ("" if self.settings != self._applied else "Nothing was changed.")
        self.apply_button.setToolTip(why or "Plays it from the next start on.")

    def _draw_replay(self) -> None:
        self.preview.show_family(self._played)
        self.preview.setVisible(bool(self._played) or self.next.proposed is not None)
        self._words.setText("The sweeps were played when the file was recorded: open a rig to choose others.")
        self._words.setStyleSheet(f"color: {self.theme.quiet};")
        if self._played:
            self.say("")
        self._aside.setText(f"{len(self._played)} of the file's sweeps, {_span(self._played)}" if self._played else "")

    def _told(self) -> str:
        """Say how many sweeps it has, and how long it takes."""
        found = self._review
        if self.settings.gap_free:
            held = significant(self.settings.holding)
            return f"no sweeps, {held} pA held without gaps for {lasting(found.duration)}"
        count = len(found.stimuli)
        if self.settings.chosen_by in ("accept", "automatic"):
            return "steps chosen by what they are expected to tell"
        return f"{count} sweep{'' if count == 1 else 's'}, {lasting(found.duration)}" if count else ""

    def _state(self) -> str:
        if self.settings != self._applied:
            return "Changed here, and not applied yet."
        if self._is_running and self._applied != self._running:
            return "Applied: played from the next start on. The session that runs keeps what it began with."
        return ""

    def _wear(self) -> None:
        for part in (self.next, self.form, self.preview):
            part.wear(self.theme)
        # It is scrolled up and down only, so that its fields have to have room beside one another.
        self._area.setMinimumWidth(self.form.minimumSizeHint().width() + self.theme.pixels(10))


_NAMES = {
    "step": "by: ", "start": "start: ", "stop": "stop: ", "amplitudes": "steps: ", "holding": "holding: ",
    "duration": "duration: ", "interval": "every: ", "test_pulse": "test pulse: ",
}  # fmt: skip


def _span(stimuli: list[Stimulus]) -> str:
    """Say from where to where steps go."""
    heights = [stimulus.amplitude for stimulus in stimuli]
    return f"{significant(min(heights))} to {significant(max(heights))} pA"
