"""This file is the posterior on the screen: one row a parameter, over the prior, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from rig_plugin.gain import gain
from rig_plugin.refined import Refined
from rig_plugin.trial import Posterior, Trial
from rig_plugin.widgets.conductance import has_dendrite, is_density, total_capacitance, whole_cell
from rig_plugin.widgets.marginal import Marginal
from rig_plugin.widgets.number import fixed
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtCore, QtWidgets, Signal
from rig_plugin.widgets.refinement_line import RefinementLine
from rig_plugin.widgets.verdict import verdict
from simulators.parameter import Parameter

__all__ = ["PosteriorPanel"]


_ERROR = (
    "Model error: the share of the uncertainty that is there because real cells are not this model,\n"
    "as a mean over the parameters. More sweeps make the rest smaller, hardly this."
)


_TAUGHT = (
    "Bits: by how much the newest sweep lessened the entropy of the posterior, taken as normal where the prior is;\n"
    "one bit is half the volume. The name is that of the parameter whose own interval lost most."
)


_CHANGED = (
    "Beside a row: what the newest sweep changed, where that is more than chance in the draws. An arrow: how far the\n"
    "median moved, in widths of the former 90 % interval; per cent: by how much that interval became narrower or wider."
)


_EFFECTIVE = (
    "Effective: the amplifier's own holding current is unknown, and what it adds lies in this potential.\n"
    "The command's own level is not in it."
)


class Given(Protocol):
    """A signal, as Qt binds it to its object."""

    def connect(self, slot: Callable[..., Any]) -> object:
        """Have a slot called with what the signal brings."""


class PosteriorPanel(Panel):
    """The marginals. A withheld posterior is the prior with the reason across it, never the last good one.

    Args:
        parameters: One for each row, in order.
        parent: Owner, as in Qt.
    """

    chosen = Signal(str)
    refine_asked = Signal()
    cautioned = Signal(str)

    def __init__(self, parameters: Sequence[Parameter], parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Posterior", "", parent)
        self._parameters = tuple(parameters)
        self._trial: Trial | None = None
        self._before: Posterior | None = None
        self._used = 0
        self._refined: Refined | None = None
        self.refinement = RefinementLine()
        self.refinement.asked.connect(self.refine_asked)
        self.rows = {parameter.name: Marginal(parameter) for parameter in self._parameters}
        self._lay_out()
        self.wear(self.theme)

    @property
    def changes(self) -> dict[str, str]:
        """What the newest sweep changed: {parameter: as a sentence has it}, without those that it left alone."""
        return {name: row.changed.sentence for name, row in self.rows.items() if row.changed.sentence}

    def choose(self, name: str) -> None:
        """Mark the row that is followed elsewhere.

        Args:
            name: Of the parameter.
        """
        for key, row in self.rows.items():
            row.is_chosen = key == name
            row.update()

    def refine(self, refined: Refined) -> None:
        """Show a refined posterior beside the amortized one, or say why there is none.

        One that came after a newer sweep is of the past, and is not shown.

        Args:
            refined: As the worker gave it.
        """
        if self._trial is not None and refined.draws is not None and refined.trial != self._trial.index:
            return
        self._refined = refined
        self._draw()
        if refined.refusal or (refined.disagreement and self._is_shown()):
            self.cautioned.emit(refined.refusal or refined.disagreement)

    def wire(self, refined: Given, ask: Callable[[], None], write: Callable[[str, str], None]) -> None:
        """Belong to a window, as far as refinement goes.

        Args:
            refined: Signal that brings each `Refined`.
            ask: Asks for one.
            write: Writes what it cautions of where all that happens is written, with its tone.
        """
        refined.connect(self.refine)
        self.refine_asked.connect(ask)
        self.cautioned.connect(lambda told: write(told, "caution"))

    def _lay_out(self) -> None:
        column = QtWidgets.QWidget()
        column.setObjectName("column")
        stack = QtWidgets.QVBoxLayout(column)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(0)
        for row in self.rows.values():
            row.chosen.connect(self.chosen)
            stack.addWidget(row, 1)
        area = QtWidgets.QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(column)
        area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._body.addWidget(area, 1)
        self._body.addWidget(self.refinement)

    def _take(self, trial: Trial) -> None:
        last = self._trial
        self._before = last.posterior if last is not None and verdict(last) != "withheld" else None
        self._used = last.sweeps_used if last is not None and self._before is not None else 0
        self._trial = trial
        self._refined = None

    def _wear(self) -> None:
        for row in self.rows.values():
            row.setMinimumHeight(self.theme.pixels(22))

    def _clear(self) -> None:
        self._trial = self._before = self._refined = None
        self._used = 0

    def _draw(self) -> None:
        trial = self._trial
        shown = trial.posterior if trial is not None and verdict(trial) != "withheld" else None
        for row in self.rows.values():
            row.theme = self.theme
            self._draw_row(row, shown)
        self._draw_refined()
        if trial is None:
            self._aside.setText("the prior; the posterior appears over it after the first sweep")
        elif shown is None:
            self._aside.setText("prior, posterior withheld")
            self._aside.setToolTip("")
            self.warn(f"Posterior withheld. {trial.trust.reason or 'No reason was given.'}")
        else:
            sweeps = "1 sweep" if trial.sweeps_used == 1 else f"{trial.sweeps_used} sweeps"
            taught, blamed = self._taught(trial, shown), _blamed(shown)
            self._aside.setText(f"{sweeps}{taught}{blamed}&nbsp;&nbsp; {self._legend()}")
            self._aside.setToolTip(self._explained(bool(taught), bool(blamed)))
            self.say("")

    def _taught(self, trial: Trial, shown: Posterior) -> str:
        """Say what the newest sweep added, where it is one more than before."""
        if trial.sweeps_used != self._used + 1:
            return ""
        told = gain(self._before, shown)
        if told is None:
            return ""
        mostly = f" ({told.foremost})" if told.foremost else ""
        sign = "+" if told.bits >= 0 else ""
        return f" · {sign}{fixed(told.bits, 1)} bits{mostly}"

    def _explained(self, taught: bool, blamed: bool) -> str:
        """Explain what stands over the rows, and list what changed."""
        changes = self.changes
        listed = [f"{name}: {said}" for name, said in changes.items()]
        told = [_TAUGHT] if taught else []
        told += [f"{_CHANGED}\n" + "\n".join(listed)] if listed else []
        return "\n\n".join([*told, *([_ERROR] if blamed else [])])

    def _legend(self) -> str:
        now, grey = self.theme.now, self.theme.past
        if self._refined is not None and self._refined.draws is not None:
            return (
                f"<span style='color:{now}'>█</span> now ─ before ╌ refined <span style='color:{grey}'>█</span> prior"
            )
        return (
            f"<span style='color:{now}'>█</span> now ─ before "
            f"<span style='color:{grey}'>█</span> prior&nbsp; median, 90 %"
        )

    def _is_shown(self) -> bool:
        """Tell whether there is a posterior that a refined one can stand beside."""
        return self._trial is not None and self._trial.posterior is not None and verdict(self._trial) != "withheld"

    def _draw_refined(self) -> None:
        refined = self._refined if self._is_shown() else None
        draws = None if refined is None else refined.draws
        for k, row in enumerate(self.rows.values()):
            row.show_refined(None if draws is None or draws.shape[1] != len(self.rows) else draws[:, k])
        self.refinement.tell(refined, can_ask=self._is_shown(), theme=self.theme)

    def _draw_row(self, row: Marginal, shown: Posterior | None) -> None:
        names = [p.name for p in shown.parameters] if shown else []
        name = row.parameter.name
        if shown is None or name not in names:
            row.show_draws(None, None, None)
            return
        k = names.index(name)
        before = self._before
        kept = before.draws[:, k] if before is not None and before.parameters == shown.parameters else None
        cell = whole_cell(shown, name) if is_density(row.parameter, shown.parameters) else None
        row.show_draws(shown.draws[:, k], kept, cell)
        if name == "C" and has_dendrite(shown.parameters):
            row.tell(total_capacitance(shown), "in all", "Soma and dendrite")
        sweep = self._trial.sweep if self._trial is not None else None
        if name == "E_leak" and sweep is not None and sweep.holding_source == "unknown":
            row.qualify("effective, at holding", _EFFECTIVE)


def _blamed(posterior: Posterior) -> str:
    """Say how much of the uncertainty is the model's error, where the network tells."""
    shares = posterior.blamed()
    if not shares:
        return ""
    return f" · {100.0 * sum(shares.values()) / len(shares):.0f} % model error"
