"""This file is the pretraining's card: what a new network is for, how far it is, and what it is used for then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rig_plugin.pretraining_run import PretrainingRun, Progress
from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.number import clock, fixed
from rig_plugin.widgets.qt import QtGui, QtWidgets, Signal, pg
from rig_plugin.widgets.theme import Theme

__all__ = ["PretrainingCard"]

_WORDS = {
    "simulate": "simulating cells",
    "train": "learning, epoch by epoch",
    "likelihood": "learning which sweeps a cell makes, by which trust is judged",
    "predictive": "learning which sweeps any cell makes, by which trust is judged",
    "reference": "planting faults to learn them; how far that is, is not told",
    "judges": "waiting for those who judge trust, who are taught beside it",
    "calibrate": "checking it on fresh cells",
}
_CLOSING = "Closing this ends the work; begun again with the same spec and name it goes on from there."


class PretrainingCard(QtWidgets.QDialog):
    """A spec, a place, a bar and a curve; it blocks nothing, and a session goes on beside it.

    Closed while it works, it ends the work, which goes on from there the next time: a process that nobody sees, on the
    cores that a recording needs, is worse than one that has to be begun again.

    Args:
        specs: Those that ship, by name.
        folder: Where networks are kept.
        run: What makes them.
        find: Lets a spec be chosen and gives it to a function.
        theme: Dark or light.
        parent: Owner, as in Qt.
    """

    made = Signal(object)

    def __init__(
        self,
        specs: Sequence[Path],
        folder: Path,
        run: PretrainingRun,
        find: Callable[[Callable[[Path], object]], object],
        theme: Theme,
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Pretrain a network")
        self.setModal(False)
        self.setStyleSheet(theme.sheet())
        self._folder, self._run, self._theme = folder, run, theme
        self._curve: dict[int, float] = {}
        self.spec = QtWidgets.QComboBox()
        for path in specs:
            self.spec.addItem(path.stem, str(path))
        self.browse = QtWidgets.QPushButton("Open a spec…")
        self.name = QtWidgets.QLineEdit()
        self.name.setMaxLength(100)
        self.workers = QtWidgets.QSpinBox()
        self.workers.setRange(1, 64)
        self.workers.setToolTip("Processes that simulate, each on one core; leave one for the session.")
        self.stage = QtWidgets.QLabel("")
        self.closing = QtWidgets.QLabel(_CLOSING)
        self.closing.setObjectName("quiet")
        self.closing.setWordWrap(True)
        self.bar = QtWidgets.QProgressBar()
        self.chart = Chart(("epoch", ""), ("held-out log q", "nats"))
        self.start, self.cancel = QtWidgets.QPushButton("Pretrain"), QtWidgets.QPushButton("Cancel")
        self.use = QtWidgets.QPushButton("Use it")
        self._line = self.chart.plot.plot(symbol="o", symbolSize=5)
        self._lay_out()
        self._connect(find)
        self._propose()
        self._show_state()
        self.resize(theme.pixels(560), theme.pixels(420))

    def _lay_out(self) -> None:
        form = QtWidgets.QGridLayout()
        rows = (("what for", self.spec, self.browse), ("name", self.name, None), ("processes", self.workers, None))
        for row, (name, widget, beside) in enumerate(rows):
            label = QtWidgets.QLabel(name)
            label.setObjectName("quiet")
            form.addWidget(label, row, 0)
            form.addWidget(widget, row, 1)
            if beside is not None:
                form.addWidget(beside, row, 2)
        form.setColumnStretch(1, 1)
        self.stage.setObjectName("plain")
        self.stage.setWordWrap(True)
        self.chart.wear(self._theme)
        axis = self.chart.plot.getAxis("left")
        axis.setWidth(self._theme.pixels(60))
        axis.setStyle(showValues=False)
        self.chart.span(x=(0.5, 10.5))
        self._line.setPen(pg.mkPen(self._theme.now))
        self._line.setSymbolBrush(self._theme.now)
        self._line.setSymbolPen(None)
        foot = QtWidgets.QHBoxLayout()
        foot.addStretch(1)
        for button in (self.start, self.cancel, self.use):
            foot.addWidget(button)
        column = QtWidgets.QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.stage)
        column.addWidget(self.bar)
        column.addWidget(self.chart, 1)
        column.addWidget(self.closing)
        column.addLayout(foot)

    def _connect(self, find: Callable[[Callable[[Path], object]], object]) -> None:
        self.browse.clicked.connect(lambda: find(self._add))
        self.spec.currentIndexChanged.connect(lambda _: self._propose())
        self.name.textChanged.connect(lambda _: self._foretell())
        self.start.clicked.connect(lambda: self._begin())
        self.cancel.clicked.connect(lambda: self._run.cancel())
        self.use.clicked.connect(lambda: self._use())
        self._run.progressed.connect(self._tell)
        self._run.ended.connect(self._end)

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        """End the work."""
        self._run.close()
        super().closeEvent(event)

    def _add(self, path: Path) -> None:
        self.spec.addItem(path.name, str(path))
        self.spec.setCurrentIndex(self.spec.count() - 1)

    def _propose(self) -> None:
        """Propose a name that is free, or one whose work was ended before it was made."""
        stem = Path(str(self.spec.currentData() or "network")).stem
        k = 1
        while self._place(f"{stem}-{k}").exists():
            k += 1
        self.name.setText(f"{stem}-{k}")
        self._foretell()

    def _foretell(self) -> None:
        """Say where it will be, or that it goes on from what an earlier run left."""
        out = self._place(self.name.text())
        is_begun = out.with_name(f"{out.name}.cells").exists() and not out.exists()
        self.start.setText("Resume" if is_begun else "Pretrain")
        told = "was begun before, and goes on from there if the spec is the same" if is_begun else "will be made"
        self.stage.setText(f"{out.name} {told}, in {self._folder}; the curve below grows with each epoch")

    def _place(self, name: str) -> Path:
        return self._folder / f"{name.strip()}.h5"

    def _begin(self) -> None:
        spec, out = self.spec.currentData(), self._place(self.name.text())
        if not self.name.text().strip() or Path(self.name.text()).name != self.name.text():
            self.stage.setText("▲ The name is that of a file: letters, numbers and hyphens were wanted.")
            return
        if out.exists():
            self.stage.setText(f"▲ {out.name} is there and is never overwritten: choose another name.")
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.stage.setText(f"▲ {self._folder} can't be made ({error.strerror}): make it or mend its rights.")
            return
        self._curve.clear()
        self._line.setData([], [])
        self.stage.setText(f"{out.name} begins, in {self._folder}")
        self._run.start(Path(str(spec)), out, self.workers.value())
        self._show_state()

    def _tell(self, progress: Progress) -> None:
        words = _WORDS.get(progress.stage, progress.stage)
        left = "" if progress.left is None else f", {clock(progress.left)} left in this step"
        self.stage.setText(f"{words}{left}")
        self.bar.setRange(0, 0 if progress.share is None else 1000)
        if progress.share is not None:
            self.bar.setValue(round(1000 * progress.share))
        if progress.held_out is not None:
            self._curve[progress.epoch or len(self._curve) + 1] = progress.held_out
            self._show_curve(progress.held_out)

    def _show_curve(self, newest: float) -> None:
        """Draw the held-out log probability; a training that goes on begins at the epoch at which it was ended."""
        self._line.setData(list(self._curve), list(self._curve.values()))
        low, high = min(self._curve.values()), max(self._curve.values())
        air = 0.1 * (high - low) or 0.5
        self.chart.plot.getAxis("left").setStyle(showValues=True)
        first, last = min(self._curve), max(self._curve)
        self.chart.span(x=(first - 0.5, max(last, first + 9) + 0.5), y=(low - air, high + air))
        self.stage.setToolTip(f"held-out log q {fixed(newest, 2)} nats")

    def _end(self, said: str, is_made: bool) -> None:
        self._foretell()
        self.stage.setText(said if is_made else f"▲ {said}")
        self.bar.setRange(0, 1000)
        self.bar.setValue(1000 if is_made else 0)
        self._show_state(is_made)

    def _use(self) -> None:
        if self._run.out is not None:
            self.made.emit(self._run.out)
            self.close()

    def _show_state(self, is_made: bool = False) -> None:
        runs = self._run.is_running
        for widget in (self.spec, self.browse, self.name, self.workers, self.start):
            widget.setEnabled(not runs)
        self.cancel.setEnabled(runs)
        self.closing.setVisible(runs)
        self.use.setEnabled(is_made)
