"""This file is the window: the panes over a session; what comes from it and from the keys becomes calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hardware.decision import Decision
from rig_plugin.bridge import Bridge
from rig_plugin.export_process import written
from rig_plugin.exports import Exports
from rig_plugin.feed import Feed, Live, RecordingStatus, Source
from rig_plugin.lab_note import lab_note
from rig_plugin.panes import Panes
from rig_plugin.proposal import Proposed
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.session_control import SessionControl
from rig_plugin.settings import RecordingSettings
from rig_plugin.stage_text import drug_words
from rig_plugin.stages import DrugStage
from rig_plugin.trial import Trial
from rig_plugin.widgets.action import action
from rig_plugin.widgets.family_builder import FamilyBuilder
from rig_plugin.widgets.features import Feature
from rig_plugin.widgets.file_dialog import choose
from rig_plugin.widgets.number import clock
from rig_plugin.widgets.offer import Writing
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import Action, QtGui, QtWidgets, Signal
from rig_plugin.widgets.theme import DARK, Theme
from simulators.parameter import Parameter

__all__ = ["Window"]

_RULES = QualitySettings()


class Window(Panes):
    """Scope, features, posterior and trust over one session; closing it stops the session.

    Closed while it records, it stays until the recording is closed and offers what it offers of every recording; the
    answer closes it, or a second request does at any moment.

    Args:
        session_control: What start, stop and mark are asked of.
        parameters: The network's, in order.
        features: The network's, in order.
        network_name: As the checkpoint calls itself.
        source_name: Rig or file.
        feed: Where the session leaves what it has; a new one, to be read from `feed`, by default.
        writing: Makes an NWB file of a recording that is over.
        is_replay: Whether the sweeps come from a file.
        exit_pA: Command of the exit state [pA].
        rules: [quality] of the rig file, by which membrane tests are judged.
        folder: Where a recording goes that is begun here; None takes the user's documents.
        protocol: The panel of what is played; None where a recording says that.
        theme: Dark or light.

    `judged` tells trials whose posterior and trust are on the screen; the other panels follow.
    """

    closed = Signal()
    judged = Signal(object)

    def __init__(
        self,
        session_control: SessionControl,
        parameters: Sequence[Parameter],
        features: Sequence[Feature],
        network_name: str,
        source_name: str,
        *,
        feed: Source | None = None,
        writing: Writing = written,
        is_replay: bool = False,
        exit_pA: float = 0.0,
        rules: QualitySettings = _RULES,
        folder: Path | None = None,
        protocol: FamilyBuilder | None = None,
        theme: Theme = DARK,
    ) -> None:
        super().__init__(
            parameters, features, network_name, source_name,
            writing=writing, is_replay=is_replay, exit_pA=exit_pA, rules=rules, folder=folder,
            protocol=protocol,
        )  # fmt: skip
        self.feed = feed or Feed()
        self.bridge = Bridge(self.feed, parent=self)
        self.is_running = False
        self._control = session_control
        self._names = source_name, network_name
        self._latest: Trial | None = None
        self._recorded: Path | None = None
        self._offered: Path | None = None
        self._is_leaving = False
        self.setWindowTitle(f"rig-plugin: {source_name}")
        self._connect()
        where = folder or RecordingSettings().where
        self.exports = Exports(self.panels, source_name, network_name, parameters, features, where, self)
        self.exports.told.connect(self.status_line.write)
        self.exports.escaped.connect(self.stop)
        self.actions_by_name = self._act()
        # From here on the session tells what is next.
        session_control.gate(self.protocol.next.mode)
        self.wear(theme)
        if session_control.status is not None:
            self._report(session_control.status)
        self.bridge.start()

    @property
    def is_recording(self) -> bool:
        """Whether samples go to a file."""
        status = self._control.status
        return self.is_running and status is not None and status.recording

    @property
    def recorded(self) -> Path | None:
        """The recording of this session that was begun last, or None."""
        return self._recorded

    @property
    def left(self) -> Path | None:
        """A recording of which no NWB file was offered, because it is not over or the window was closed before."""
        return self._recorded if self._recorded != self._offered else None

    def toggle(self) -> None:
        """Start the session, or stop the one that runs."""
        if self.is_running:
            self.stop()
        else:
            self.start()

    def start(self) -> None:
        """Ask the session to start and clear the panels of what the last one left."""
        self.bridge.poll()
        self.offer.withdraw()
        self._recorded = self._latest = None
        self._is_leaving = False
        for panel in self.panels:
            panel.clear()
        self.exports.clear()
        self._enter(True)
        self.status_line.write("starting, the first sweep will appear in the scope")
        self._control.start()

    def stop(self) -> None:
        """Ask the session to stop; always, since what looks stopped may not be."""
        self.note_line.drop()
        self.status_line.write("stopping, the command returns to its exit state")
        self._control.stop()

    def mark(self) -> None:
        """Ask the session to note this moment."""
        if self.is_running:
            self._control.mark()
            self.scope.mark()
            self._marked("")

    def record(self) -> None:
        """Record from the next sweep on, or end the recording after this one; starts a session where none runs."""
        if self.is_replay:
            self.status_line.write("a recording is not recorded once more: open a rig", "caution")
            return
        on = not self.is_recording
        if not self.is_running:
            self.start()
        self._control.record(on, self.recording.folder)
        self.status_line.write("recording from the next sweep on" if on else "the recording ends after this sweep")

    def note(self) -> None:
        """Hold this moment and ask for a text."""
        if self.is_running:
            self._control.note()
            self.scope.note()
            self.note_line.ask()

    def copy(self) -> None:
        """Put what the newest trial says of the cell on the clipboard, as text for the lab book."""
        clipboard = QtWidgets.QApplication.clipboard()
        if self._latest is None or clipboard is None:
            self.status_line.write("nothing to copy before the first sweep is over")
            return
        clipboard.setText(lab_note(self._latest, *self._names, str(self._recorded) if self._recorded else None))
        self.status_line.write(f"trial {self._latest.index} copied as text, for the lab book")

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        """Leave no session behind that nobody watches, and no recording that nothing was offered of."""
        if self.is_running and self.left is not None and not self._is_leaving:
            self._is_leaving = True
            event.ignore()
            self.stop()
            self.status_line.write("the recording is being closed; close the window once more to leave at once")
            return
        self.bridge.stop()
        if self.is_running:
            self._control.stop()
        super().closeEvent(event)
        self.closed.emit()

    def _connect(self) -> None:
        bridge = self.bridge
        bridge.started.connect(self._begin)
        bridge.grew.connect(self.scope.grow)
        bridge.grew.connect(self.header.grow)
        bridge.finished.connect(self._finish)
        bridge.overlaid.connect(self.scope.overlay)
        bridge.sliced.connect(self.pairs.slice)
        bridge.proposed.connect(self._look_ahead)
        bridge.decided.connect(self._decide)
        bridge.dosed.connect(self.drug.tell)
        self.drug.form.asked.connect(self._give)
        self.protocol.accepted.connect(self._control.go)
        self.protocol.skipped.connect(self._control.skip)
        self.protocol.gated.connect(self._control.gate)
        self.pairs.looked.connect(self._control.look)
        self.posterior.wire(bridge.refined, self._control.refine, self.status_line.write)
        bridge.tested.connect(self.membrane.test)
        bridge.guarded.connect(self.guardian.tell)
        bridge.injected.connect(self.injection.tell)
        bridge.status_changed.connect(self._report)
        bridge.stalled.connect(self._stall)
        bridge.lagged.connect(self._lag)
        bridge.dropped.connect(self.status_line.miss)
        self.status_line.wrote.connect(self.log.write)
        self.recording.asked.connect(self.record)
        self.recording.chose.connect(self._choose_folder)
        bridge.ended.connect(self._end)
        self.posterior.chosen.connect(self.evolution.choose)
        self.evolution.chosen.connect(self.posterior.choose)
        self.header.go.clicked.connect(lambda: self.toggle())
        self.header.mark.clicked.connect(lambda: self.mark())
        self.header.stop.clicked.connect(lambda: self.stop())
        self.note_line.taken.connect(self._keep_note)
        self.offer.decline.clicked.connect(lambda: self._leave())

    def _act(self) -> dict[str, Action]:
        """Make what can be done by a key, each once."""
        begins = "Stopped, the command returns to its exit state."
        arranges = "Gives them bars to move them by, or takes these away."
        back = "The whole session as it came, or the sweep again."
        told = (
            ("start", "Start or stop", "Space", self.toggle, begins),
            ("stop", "Stop at once", "Esc", self.stop, "The command returns to its exit state."),
            ("record", "Record, or end that", "R", self.record, "From the next sweep on; the session goes on."),
            ("mark", "Mark this moment", "M", self.mark, "Notes this moment in the recording."),
            ("note", "Note with a text", "N", self.note, "Notes this moment in the recording, with a text."),
            ("go", "Play the sweep that waits", "G", self.protocol.next.go, "Where each sweep waits for a word."),
            ("skip", "Pass over the next sweep", "K", self.protocol.next.skip, "The protocol is asked for another."),
            ("gate", "Wait before each sweep, or not", "A", self.protocol.next.toggle, "Auto, or each waits for G."),
            ("export", "NWB of the last recording", "E", self.offer.take_up, "Makes a file that every lab can read."),
            ("table", "Save the table of trials…", "Ctrl+S", self.exports.save_table, "CSV, one row a trial."),
            ("draws", "Save the posterior's draws…", "", self.exports.save_draws, "CSV, of the newest trial."),
            ("copy", "Copy the posterior as text", "Ctrl+C", self.copy, "For the lab book."),
            ("back", "Scroll back", "B", self.scope.scroll_back, back),
            ("cursors", "Cursors", "C", self.scope.measure, "Time and value at two places, and between them."),
            ("arrange", "Arrange the panels", "", self.arrange, arranges),
            ("reset", "Panels as at first", "", self.docks.reset, ""),
            ("theme", "Dark or light", "T", self.swap_theme, ""),
            ("keys", "Keys", "F1", self.show_keys, ""),
        )
        return {name: action(self, text, key, act, tip) for name, text, key, act, tip in told}

    def _enter(self, running: bool) -> None:
        self.is_running = running
        self.header.enter("running" if running else "ended")
        self.recording.enter(running)
        self.protocol.enter(running)
        self.drug.enter(running)

    def _begin(self, live: Live) -> None:
        if not self.is_running:
            self._enter(True)
        self.header.begin(live)
        self.scope.begin(live)
        self.protocol.begin(live)

    def _look_ahead(self, proposed: Proposed) -> None:
        self.protocol.propose(proposed)
        self.scope.propose(proposed)
        if proposed.waits:
            # The panel may stand behind others.
            self.status_line.write(f"{self.protocol.next.words()}: G plays, K skips")

    def _decide(self, decision: Decision) -> None:
        """Write each decision with its reason where all that happens is written, and show what it is about."""
        self.script.decide(decision)
        self.drug.decide(decision)
        if decision.event == "began" and decision.kind == "drug" and not self.is_replay:
            self.docks.front("drug")
        self.status_line.write(decision.said, "caution" if decision.event in ("missed", "stopped", "late") else "text")

    def _give(self, stage: DrugStage) -> None:
        """Ask for a virtual drug beside what is played."""
        self._control.give(stage)
        self.status_line.write(f"a virtual drug, {drug_words(stage)}, is given when this sweep is over")

    def _finish(self, trials: tuple[Trial, ...]) -> None:
        """Show what is waited for first, and what only draws more of it when that is on the screen."""
        self._latest = trials[-1]
        awaited: tuple[Panel, ...] = (self.trust, self.posterior)
        for panel in awaited:
            panel.take(*trials)
        shown = [panel for panel in awaited if panel.isVisible()]
        if shown:
            # Paints all that is not up to date, in one go.
            shown[-1].repaint()
        self.judged.emit(trials)
        for panel in self.panels:
            if panel not in awaited:
                panel.take(*trials)
        self.exports.take(*trials)

    def _leave(self) -> None:
        """Close, where that was asked for before there was an answer."""
        if self._is_leaving:
            self.close()

    def _propose(self, *, is_whole: bool) -> None:
        """Offer what the recording that is over can become."""
        self._offered = self._recorded
        if self._recorded is not None:
            self.offer.propose(self._recorded, is_whole=is_whole)

    def _marked(self, text: str) -> None:
        """Say which moment was marked."""
        status = self._control.status
        moment = clock(status.elapsed) if status is not None else "the beginning"
        self.status_line.write(f"noted: {text}" if text else "marked")
        self.log.write(f"at {moment} of the session{f': {text}' if text else ''}", "mark")

    def _choose_folder(self) -> None:
        choose(self, "Where recordings are kept", "Folders (*)", self.recording.keep_in, wanted="folder")

    def _keep_note(self, text: str) -> None:
        self._control.mark(text)
        self.scope.mark(text)
        self._marked(text)

    def _report(self, status: RecordingStatus) -> None:
        if self.is_running and self._recorded not in (None, self._offered) and status.path != str(self._recorded):
            self._propose(is_whole=status.refusal is None)
        if self.is_running and status.path and status.received:
            self._recorded = Path(status.path)
            self.exports.keep_in(self._recorded)
        self.header.report(status)
        self.recording.report(status)
        self.status_line.report(status)

    def _stall(self, seconds: float) -> None:
        self.header.stall(seconds)
        if seconds == 0:
            self.status_line.write("samples come again", "caution")

    def _lag(self, seconds: float) -> None:
        """Say that the screen stood still, for what it showed meanwhile was old."""
        if self.is_running:
            told = f"this window stood still for {seconds:.1f} s and has caught up; the session went on without it"
            self.status_line.write(told, "caution")

    def _end(self, reason: str | None) -> None:
        if self._control.status is not None:
            self._report(self._control.status)
        self._enter(False)
        self.header.stall(0.0)
        self.note_line.drop()
        if self._recorded not in (None, self._offered):
            self._propose(is_whole=reason is None)
        if reason is None:
            ended = "session ended"
            self.status_line.write(f"{ended}; close the window once more to leave" if self._is_leaving else ended)
            return
        self.header.enter("failed")
        self.status_line.write(reason, "danger")
        self.scope.fail(reason)
