"""This file is the protocol's panel: the family that is played next, as it will be, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rig_plugin.history import History
from rig_plugin.settings import ProtocolSettings
from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.number import clock
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtWidgets, Signal, pg

__all__ = ["Judge", "ProtocolPanel"]

Judge = Callable[[ProtocolSettings], tuple[str | None, str | None]]
"""Says why a protocol can't be played, and what else is worth knowing of it; None each where there is nothing."""

_FIELDS = (
    ("start", "first step", "pA", -2000.0, 2000.0, 10.0, 1.0, "Height of the first step above the holding."),
    ("stop", "last step", "pA", -2000.0, 2000.0, 10.0, 1.0, "Height of the last step."),
    ("step", "by", "pA", -1000.0, 1000.0, 5.0, 1.0, "From one step to the next."),
    ("holding", "holding", "pA", -1000.0, 1000.0, 5.0, 1.0, "Current before and after the step."),
    ("onset", "onset", "ms", 50.0, 10_000.0, 10.0, 1.0, "Start of the step."),
    ("duration", "length", "ms", 1.0, 60_000.0, 50.0, 1.0, "Length of the step."),
    ("tail", "tail", "ms", 1.0, 60_000.0, 50.0, 1.0, "Time kept after the step."),
    ("interval", "every", "s", 0.0, 3600.0, 1.0, 1e3, "From the start of one sweep to that of the next."),
    (
        "test_pulse",
        "test pulse",
        "pA",
        -100.0,
        100.0,
        5.0,
        1.0,
        "Before each step, for access and membrane; 0 for none.",
    ),
)
_MOST = 40
_BESIDE = 3
_HIGH = 19


class ProtocolPanel(Panel):
    """A form and the sweeps that come of it. What runs keeps its protocol; the next session plays what was applied.

    Args:
        protocol: What is played now; None where a recording says that.
        judge: What is wrong with another one.
        parent: Owner, as in Qt.
    """

    applied = Signal(object)

    def __init__(
        self,
        protocol: ProtocolSettings | None,
        judge: Judge = lambda _: (None, None),
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        said = "" if protocol is not None else "A recording is played as it was recorded."
        super().__init__("Protocol", said, parent)
        self._played = protocol or ProtocolSettings()
        self._judge, self._is_filling = judge, False
        self._history = History(self._played)
        self.fields: dict[str, QtWidgets.QDoubleSpinBox] = {}
        self.words = QtWidgets.QLabel("")
        self.words.setObjectName("plain")
        self.words.setWordWrap(True)
        self.words.setMinimumHeight(16)
        self.preview = Chart(("time", "ms"), ("", "pA"))
        self.apply, self.back = QtWidgets.QPushButton("Apply"), QtWidgets.QPushButton("As played")
        self.undo_button, self.redo_button = QtWidgets.QPushButton("Undo"), QtWidgets.QPushButton("Redo")
        self._root = QtWidgets.QWidget()
        self._lay_out()
        self._root.setVisible(protocol is not None)
        self._fill(self._played)
        self.wear(self.theme)

    @property
    def asked(self) -> ProtocolSettings:
        """What the form says."""
        return self._history.now

    def undo(self) -> None:
        """Take the last change of the form back."""
        self._go(self._history.undo())

    def redo(self) -> None:
        """Make again what was taken back."""
        self._go(self._history.redo())

    def _lay_out(self) -> None:
        row = QtWidgets.QHBoxLayout(self._root)
        row.setContentsMargins(0, 0, 0, 0)
        form = QtWidgets.QGridLayout()
        form.setVerticalSpacing(1)
        for place, (name, words, unit, low, high, step, factor, tip) in enumerate(_FIELDS):
            label, box = QtWidgets.QLabel(words), QtWidgets.QDoubleSpinBox()
            label.setObjectName("quiet")
            box.setRange(low, high)
            box.setSingleStep(step)
            box.setDecimals(1)
            box.setSuffix(f" {unit}")
            box.setToolTip(tip)
            box.setMinimumHeight(_HIGH)
            label.setToolTip(tip)
            box.valueChanged.connect(lambda value, name=name, factor=factor: self._change(name, value * factor))
            self.fields[name] = box
            line, column = divmod(place, _BESIDE)
            form.addWidget(label, line, 2 * column)
            form.addWidget(box, line, 2 * column + 1)
        left = QtWidgets.QVBoxLayout()
        left.addLayout(form)
        buttons = QtWidgets.QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.words, 1)
        for button, act in (
            (self.apply, self._apply), (self.back, self._return), (self.undo_button, self.undo),
            (self.redo_button, self.redo),
        ):  # fmt: skip
            button.clicked.connect(lambda *_, act=act: act())
            buttons.addWidget(button)
        left.addStretch(1)
        left.addLayout(buttons)
        row.addLayout(left)
        row.addWidget(self.preview, 1)
        self._body.addWidget(self._root, 1)

    def _change(self, name: str, value: float) -> None:
        if self._is_filling:
            return
        changes: dict[str, float | tuple[float, ...]] = {name: value}
        if name in ("start", "stop", "step"):
            # Steps that were listed one by one give way to those from one to another.
            changes["amplitudes"] = ()
        if self._history.take(replace(self.asked, **changes)):  # type: ignore[arg-type]  # Named after its fields.
            self._show()

    def _return(self) -> None:
        if self._history.take(self._played):
            self._fill(self._played)

    def _go(self, protocol: ProtocolSettings | None) -> None:
        if protocol is not None:
            self._fill(protocol)

    def _apply(self) -> None:
        if self.apply.isEnabled():
            self._played = self.asked
            self.applied.emit(self.asked)
            self._show()

    def _fill(self, protocol: ProtocolSettings) -> None:
        """Bring the form up to a protocol."""
        self._is_filling = True
        for name, _, _, _, _, _, factor, _ in _FIELDS:
            self.fields[name].setValue(getattr(protocol, name) / factor)
        self._is_filling = False
        self._show()

    def _show(self) -> None:
        """Draw what would be played, and say how long it takes and what is wrong with it."""
        asked = self.asked
        wrong, worth = self._judge(asked)
        told = [f"▲ {wrong}"] if wrong else [_lasting(asked)]
        told += [f"▲ {worth}"] if worth else []
        is_new = asked != self._played
        told += ["Played from the next session on." if is_new else "This is what is played."] if not wrong else []
        self.words.setText(" ".join(told))
        self.apply.setEnabled(is_new and not wrong)
        self.apply.setToolTip(
            wrong or ("The form is what is played." if not is_new else "Begins a new session with it.")
        )
        self.back.setEnabled(is_new)
        self.undo_button.setEnabled(self._history.can_undo)
        self.redo_button.setEnabled(self._history.can_redo)
        self._paint(None if wrong else asked)

    def _paint(self, protocol: ProtocolSettings | None) -> None:
        self.preview.plot.clear()
        if protocol is None:
            return
        stimuli = protocol.stimuli()
        levels = [epoch.level for stimulus in stimuli for epoch in stimulus.epochs]
        # Of a thousand sweeps the eye needs as many as it can tell apart.
        shown = stimuli[:: max(len(stimuli) // _MOST, 1)]
        for stimulus in shown:
            times, line, now = [], [], 0.0
            for epoch in stimulus.epochs:
                times += [now, now + epoch.duration]
                line += [epoch.level] * 2
                now = times[-1]
            self.preview.plot.plot(
                times, line, pen=pg.mkPen(self.theme.now if stimulus is shown[0] else self.theme.past)
            )
        air = 0.1 * (max(levels) - min(levels)) or 10.0
        self.preview.span(x=(0.0, stimuli[0].duration), y=(min(levels) - air, max(levels) + air))

    def _draw(self) -> None:
        """Nothing of a trial is shown here."""

    def _wear(self) -> None:
        self.preview.wear(self.theme)
        self._show()


def _lasting(protocol: ProtocolSettings) -> str:
    """Say how many sweeps it has and how long they take."""
    if protocol.gap_free:
        return f"The holding is recorded without gaps for {clock(protocol.gap_free / 1e3)}."
    stimuli = protocol.stimuli()
    every = max(protocol.interval, stimuli[0].duration)
    sweeps = "1 sweep" if len(stimuli) == 1 else f"{len(stimuli)} sweeps"
    return f"{sweeps} of {stimuli[0].duration / 1e3:.2f} s, {clock(every * len(stimuli) / 1e3)} in all."
