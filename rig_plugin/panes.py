"""This file is the panes: all panels over one session, where they stand and what they wear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rig_plugin.arrangement import ARRANGEMENT
from rig_plugin.export_process import written
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.settings import RecordingSettings
from rig_plugin.widgets.cheat_sheet import CheatSheet
from rig_plugin.widgets.curves import FiringCurve, VoltageCurve
from rig_plugin.widgets.docks import Docks
from rig_plugin.widgets.drug import DrugPanel
from rig_plugin.widgets.evolution import Evolution
from rig_plugin.widgets.family_builder import FamilyBuilder
from rig_plugin.widgets.features import Feature, FeatureTable
from rig_plugin.widgets.guardian_line import GuardianLine
from rig_plugin.widgets.header import Header
from rig_plugin.widgets.injection_line import InjectionLine
from rig_plugin.widgets.log import Log
from rig_plugin.widgets.membrane import MembranePanel
from rig_plugin.widgets.note import Note
from rig_plugin.widgets.offer import Offer, Writing
from rig_plugin.widgets.pairs import Pairs
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.posterior import PosteriorPanel
from rig_plugin.widgets.qt import QtCore, QtWidgets, Signal
from rig_plugin.widgets.recording import RecordingPanel
from rig_plugin.widgets.scope import Scope
from rig_plugin.widgets.script import ScriptPanel
from rig_plugin.widgets.status_line import StatusLine
from rig_plugin.widgets.theme import DARK, LIGHT, Theme
from rig_plugin.widgets.trust import TrustBadge
from simulators.parameter import Parameter

__all__ = ["Panes"]

_RULES = QualitySettings()


class Panes(QtWidgets.QWidget):
    """Lines over and under the docks, and the panels in these; who feeds them is another matter.

    Args:
        parameters: The network's, in order.
        features: The network's, in order.
        network_name: As the checkpoint calls itself.
        source_name: Rig or file.
        writing: Makes an NWB file of a recording that is over.
        is_replay: Whether the sweeps come from a file.
        exit_pA: Command of the exit state [pA].
        rules: [quality] of the rig file, by which membrane tests are judged.
        folder: Where a recording goes that is begun here; None takes the user's documents.
        protocol: The panel of what is played; None where a recording says that.
    """

    worn = Signal(object)

    def __init__(
        self,
        parameters: Sequence[Parameter],
        features: Sequence[Feature],
        network_name: str,
        source_name: str,
        *,
        writing: Writing = written,
        is_replay: bool = False,
        exit_pA: float = 0.0,
        rules: QualitySettings = _RULES,
        folder: Path | None = None,
        protocol: FamilyBuilder | None = None,
    ) -> None:
        super().__init__()
        self._theme = DARK
        self._sheet: CheatSheet | None = None
        self.is_replay = is_replay
        self.header = Header(is_replay, exit_pA)
        self.scope = Scope()
        self.membrane = MembranePanel(rules)
        self.features = FeatureTable(features)
        self.firing = FiringCurve()
        self.voltage = VoltageCurve()
        self.trust = TrustBadge()
        self.posterior = PosteriorPanel(parameters)
        self.evolution = Evolution(parameters)
        self.pairs = Pairs(parameters)
        self.recording = RecordingPanel(is_replay, folder or RecordingSettings().where)
        self.log = Log()
        self.script, self.drug = ScriptPanel(), DrugPanel(parameters)
        self.protocol = protocol or FamilyBuilder(None)
        self.status_line = StatusLine(source_name, network_name)
        self.docks = Docks(ARRANGEMENT)
        self.guardian = GuardianLine()
        self.injection = InjectionLine()
        self.offer = Offer(writing)
        self.note_line = Note()
        self._lay_out()
        if parameters:
            self.posterior.choose(parameters[0].name)

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All of them; each takes every trial."""
        return (
            self.header, self.scope, self.membrane, self.features, self.firing, self.voltage,
            self.trust, self.posterior, self.evolution, self.pairs, self.guardian, self.injection, self.offer,
            self.protocol, self.recording, self.log, self.script, self.drug, self.status_line,
        )  # fmt: skip

    @property
    def theme(self) -> Theme:
        """What it wears."""
        return self._theme

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self._theme = theme
        self.setStyleSheet(theme.sheet())
        for panel in self.panels:
            panel.wear(theme)
        self.worn.emit(theme)

    def swap_theme(self) -> None:
        """Change between dark and light."""
        other = LIGHT if self._theme.name == DARK.name else DARK
        self.wear(replace(other, scale=self._theme.scale))

    def arrange(self) -> None:
        """Let the panels be moved, or keep them where they are."""
        self.docks.arrange(not self.docks.is_arranging)

    def show_keys(self) -> None:
        """Show the cheat sheet, or take it away."""
        if self._sheet is not None and self._sheet.isVisible():
            self._sheet.close()
            return
        self._sheet = CheatSheet(self._theme, self)
        self._sheet.show()

    def _lay_out(self) -> None:
        self.docks.hold(
            {
                "scope": ("Scope", self.scope),
                "membrane": ("Membrane", self.membrane),
                "features": ("Features", self.features),
                "firing": ("f-I", self.firing),
                "voltage": ("V-I", self.voltage),
                "trust": ("Trust", self.trust),
                "posterior": ("Posterior", self.posterior),
                "evolution": ("Over the sweeps", self.evolution),
                "pairs": ("Pairs", self.pairs),
                "protocol": ("Protocol", self.protocol),
                "recording": ("Recording", self.recording),
                "log": ("Log", self.log),
                "script": ("Script", self.script),
                "drug": ("Virtual drug", self.drug),
            }
        )
        self.setObjectName("root")
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_StyledBackground)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(6)
        over = (self.header, self.guardian, self.injection)
        under = (self.offer, self.note_line, self.status_line)
        for widget in (*over, self.docks, *under):
            column.addWidget(widget, 1 if widget is self.docks else 0)
        self.resize(1366, 740)
