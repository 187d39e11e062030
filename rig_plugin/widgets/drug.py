"""This file is the drug's panel: what is injected, what was predicted of it, what was measured, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from estimators.virtual_drug import CONDUCTANCES
from hardware.decision import Decision
from rig_plugin.dosing import PHASES, Dosing, Infusion
from rig_plugin.stage_text import drug_words
from rig_plugin.stages import DrugStage
from rig_plugin.widgets.drug_form import DrugForm
from rig_plugin.widgets.drug_table import DrugTable
from rig_plugin.widgets.number import MISSING, fixed, places, significant
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtCore, QtWidgets
from rig_plugin.widgets.ribbon import LEGEND
from simulators.parameter import Parameter

__all__ = ["DrugPanel"]

_PROMISE = (
    "A virtual drug appears here while a script gives one: what the dynamic clamp injects, what was predicted of it "
    'and what came of it. To get one, give a script a [[stage]] with kind = "drug", as docs/experiment.toml does, and '
    "play it by File > Run a script… on a rig with a dynamic clamp, as the simulated cell has; or ask for one above."
)
_VERDICTS = {
    "confirmed": ("●", "confirmed"),
    "contradicted": ("■", "contradicted"),
    "not decided": ("○", "not decided"),
    "cell changed": ("▲", "the cell has changed"),
    "withheld": ("■", "no verdict"),
}
_CALM = ("confirmed", "not decided")
_TOLD = ("chose", "predicted", "met", "missed", "measured", "ended")


class DrugPanel(Panel):
    """The newest drug; in a recording that is gone through, the sentences that were kept of it.

    Args:
        parameters: The network's, in order; those that are conductances can be asked for.
        parent: Owner, as in Qt.
    """

    def __init__(self, parameters: Sequence[Parameter] = (), parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Virtual drug", _PROMISE, parent)
        self._dosing: Dosing | None = None
        self._is_broken = self._is_running = False
        self._said: list[str] = []
        self._drug, self._clamp, self._verdict, self._legend = (QtWidgets.QLabel("") for _ in range(4))
        self._phases = tuple(QtWidgets.QLabel("") for _ in PHASES)
        self._table = DrugTable()
        self.form = DrugForm([each.name for each in parameters if each.name in CONDUCTANCES])
        self._lay_out()
        self.wear(self.theme)

    def words(self) -> str:
        """Read what stands on the screen, but for the table."""
        shown = (self._drug, self._clamp, *self._phases, self._verdict)
        return "\n".join(label.text() for label in shown if label.text() and not label.isHidden())

    def cells(self, row: int) -> tuple[str, ...]:
        """Read a row of the table.

        Args:
            row: Its number.

        Returns:
            Text of each column.
        """
        return self._table.cells(row)

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return self._table.rowCount()

    def tell(self, dosing: Dosing) -> None:
        """Be told how a drug stands.

        Args:
            dosing: The newest.
        """
        self._dosing, self._is_broken = dosing, False
        self._draw()

    def decide(self, decision: Decision) -> None:
        """Be told a decision; of a recording, these are all that there is.

        Args:
            decision: Of any stage.
        """
        if decision.kind != "drug":
            return
        if decision.event == "began":
            self._dosing, self._said = None, []
        elif decision.event in _TOLD:
            self._said.append(decision.said)
        elif decision.event == "stopped":
            self._said.append(decision.said)
            self._is_broken = self._dosing is not None and not self._dosing.verdict
        self._draw()

    def enter(self, running: bool) -> None:
        """Be told whether a session runs: what has no verdict when it is over gets none.

        Args:
            running: Whether it does.
        """
        self._is_running = running
        self.form.enter(running)
        if not running and self._dosing is not None and not self._dosing.verdict:
            self._is_broken = True
        self._draw()

    def _lay_out(self) -> None:
        for label in (self._drug, self._clamp, self._verdict, self._legend):
            label.setWordWrap(True)
            label.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(14)
        for label in self._phases:
            row.addWidget(label)
        row.addStretch(1)
        for label, name in ((self._drug, "plain"), (self._clamp, "quiet"), (self._verdict, "plain")):
            label.setObjectName(name)
        self._legend.setObjectName("quiet")
        self._legend.setText(LEGEND)
        for label in self._phases:
            label.setObjectName("plain")
        self._body.addWidget(self.form)
        self._body.addWidget(self._drug)
        self._body.addWidget(self._clamp)
        self._body.addLayout(row)
        self._body.addWidget(self._table, 1)
        self._body.addWidget(self._legend)
        self._body.addWidget(self._verdict)
        self._body.addStretch(0)

    def _clear(self) -> None:
        self._dosing, self._is_broken, self._said = None, False, []

    def _draw(self) -> None:
        dosing = self._dosing
        has_drug, has_text = dosing is not None, bool(self._said)
        # What is being given needs the room, and there is one at a time; what came of one, where none can be asked for.
        is_over = dosing is not None and (bool(dosing.verdict) or self._is_broken)
        self.form.setVisible(dosing is None or (is_over and self._is_running))
        self.say("" if has_drug or has_text else self._promise)
        for widget in (*self._phases, self._table):
            widget.setVisible(has_drug)
        for widget in (self._drug, self._clamp, self._verdict):
            widget.setVisible(has_drug or has_text)
        self._legend.setVisible(dosing is not None and bool(dosing.expected))
        if dosing is not None:
            self._draw_drug(dosing)
            return
        self._aside.setText("")
        self._table.fill(())
        self._drug.setText("\n\n".join(self._said))
        self._clamp.setText("")
        self._verdict.setText("")

    def _draw_drug(self, dosing: Dosing) -> None:
        words = drug_words(DrugStage(dosing.conductance, dosing.factor))
        self._drug.setText(f"{words}{_injected(dosing.infusion)}")
        self._clamp.setText(_clamped(dosing.infusion) or "What is injected is known when the first control is over.")
        for k, (label, name, done) in enumerate(zip(self._phases, PHASES, dosing.done, strict=True)):
            is_now = k == dosing.phase and not self._is_broken
            sign = "▶" if is_now else "●" if done >= dosing.count else "○"
            label.setText(f"{sign} {name} {done} of {dosing.count}")
            label.setStyleSheet(f"color: {self.theme.now if is_now else self.theme.quiet};")
        self._table.fill(dosing.expected)
        shown = len(dosing.expected)
        among = f"{shown} of {dosing.among} features, by the largest change" if dosing.among > shown else ""
        self._aside.setText(among)
        self._draw_verdict(dosing)

    def _draw_verdict(self, dosing: Dosing) -> None:
        sign, word, sentence = "", "", dosing.sentence
        calm = dosing.verdict in _CALM and not dosing.is_strange
        if dosing.verdict:
            sign, word = _VERDICTS.get(dosing.verdict, ("▲", dosing.verdict))
            if dosing.is_strange:
                sign, word = "▲", f"{word}, and no cell of the model"
        elif self._is_broken:
            sign, word, sentence = "■", "broken off", "There is no verdict, and the clamp is off."
        text = f"{sign} {word[0].upper()}{word[1:]}. {sentence}" if word else ""
        self._verdict.setText(text)
        self._verdict.setVisible(bool(text))
        self._verdict.setStyleSheet(f"color: {self.theme.text if calm else self.theme.caution};")

    def _wear(self) -> None:
        self._table.wear(self.theme)
        self.form.wear(self.theme)


def _injected(infusion: Infusion | None) -> str:
    """Say how much is injected."""
    if infusion is None:
        return ""
    sign = "+" if infusion.maximum > 0 else ""
    return f": {sign}{significant(infusion.maximum)} nS injected, on the cell's own {significant(infusion.own)} nS"


def _clamped(infusion: Infusion | None) -> str:
    """Say how it is injected."""
    if infusion is None:
        return ""
    access = infusion.access
    decimals = places(access.low, access.high)
    low, middle, high = (fixed(value, decimals) for value in (access.low, access.median, access.high))
    left = MISSING if middle == MISSING else f"{middle} MOhm ({low} to {high})"
    return (
        f"reversing at {fixed(infusion.reversal, 1)} mV, {infusion.delay:g} ms late, in cycles of "
        f"{infusion.cycle:g} ms, at most {significant(infusion.clip)} pA; access resistance left by the bridge: {left}"
    )
