"""This file is the desk: the program's window, on which one preparation lies after another, with what can be opened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from estimators.features import FEATURES
from estimators.pretrained import FIRST, SHIPPED
from estimators.title import Title, read_title
from rig_plugin.engine.client import Client
from rig_plugin.engine.host import Opener
from rig_plugin.feed import Source
from rig_plugin.liking import Liking
from rig_plugin.menus import Menus
from rig_plugin.networks import own, there
from rig_plugin.otherwise import described
from rig_plugin.preferences import Preferences, keep, place, remembered
from rig_plugin.preparation import SIMULATED, Preparation, is_script, of_file, on_rig, recorded
from rig_plugin.pretraining_run import PretrainingRun
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.script import read_script
from rig_plugin.session_control import SessionControl
from rig_plugin.settings import ProtocolSettings, Settings
from rig_plugin.unread import unread
from rig_plugin.widgets.banner import Banner
from rig_plugin.widgets.family_builder import FamilyBuilder
from rig_plugin.widgets.file_dialog import choose
from rig_plugin.widgets.networks import NetworksCard
from rig_plugin.widgets.pretraining import PretrainingCard
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets
from rig_plugin.widgets.reading import ReadingCard
from rig_plugin.widgets.theme import DARK, Theme
from rig_plugin.window import Window
from simulators.parameter import Parameter
from simulators.refusal import Refusal

__all__ = ["Desk", "Engine"]

_WELCOME = (
    "This is a simulated cell. A recording of your own (ABF or NWB) opens when it is dropped anywhere here, or by "
    "Ctrl+O; a rig by its rig file."
)
_KEY = "desk"
_RECORDINGS = "Recordings (*.abf *.nwb *.h5 *.hdf5);;All files (*)"
_NETWORKS = "Networks (*.h5);;All files (*)"
_SPECS = "Specs (*.toml);;All files (*)"
_RIG_FILES = "Rig files (*.toml);;All files (*)"
_SCRIPTS = "Scripts (*.toml);;All files (*)"
_OWN = "Recordings of this program (*.h5);;All files (*)"


class Engine(SessionControl, Source, Protocol):
    """What runs a session and can be looked at, in whichever process."""

    def infer(self, parameters: Sequence[Parameter]) -> None:
        """Be told what the network infers, before the first session."""

    def close(self) -> None:
        """Let the running sweep finish and end."""


class Desk(QtWidgets.QMainWindow):
    """Menus, one window over a session, and its engine; what is opened next takes their place.

    Nothing is opened over a recording that runs: that is refused in words. A session that records nothing is ended
    first.

    Args:
        preparation: What lies on it at first.
        load: Reads what stands on a network; another one for tests.
        engine: Starts what runs its sessions.
        first: What was started for the first preparation before Qt was loaded, which takes as long.
        parent: Owner, as in Qt.

    Raises:
        Refusal: If the first preparation's network can't be used.
    """

    def __init__(
        self,
        preparation: Preparation,
        load: Callable[[Path], Title] = read_title,
        engine: Callable[[Opener], Engine] = Client,
        first: Engine | None = None,
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._load, self._engine = DARK, load, engine
        self._file = place(_KEY)
        self.preferences = remembered(self._file)
        self._asked: Preparation | None = None
        self._is_leaving = self._is_gone = False
        self._endings: list[threading.Thread] = []
        self._further: list[Path] = []
        self.banner = Banner()
        self._column = QtWidgets.QVBoxLayout()
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        root = QtWidgets.QWidget()
        root.setObjectName("root")
        root.setLayout(self._column)
        self._column.addWidget(self.banner)
        self.setCentralWidget(root)
        self.setAcceptDrops(True)
        self.resize(1366, 740)
        self.preparation = preparation
        self._rig = on_rig(Settings()) if preparation.is_replay else preparation
        self.client, self.board = self._sit(preparation, first)
        self.menus = Menus(self)
        self._wear(self.board.theme)
        if self.preferences.geometry:
            self.restoreGeometry(QtCore.QByteArray(self.preferences.geometry))
        if preparation.key == SIMULATED and not self.preferences.welcomed:
            self.banner.tell(_WELCOME, remedy=("Open a recording…", self.ask_recording))
            self.banner.close_button.clicked.connect(lambda: self._welcome())

    def start(self) -> None:
        """Begin the session of what lies on the desk."""
        self.board.start()

    def open_file(self, file: Path) -> None:
        """Open a recording, a rig file or a script; what can't be is said in a sentence.

        Args:
            file: That somebody chose or dropped.
        """
        if is_script(file):
            self.run_script(file)
            return
        try:
            preparation = of_file(file)
        except Refusal as refusal:
            self.banner.tell(str(refusal), "caution")
            return
        self._prefer(self.preferences.opened(file))
        self.open(preparation)

    def open(self, preparation: Preparation) -> None:
        """Put something else on the desk and begin its session, as soon as the one that runs is over.

        Args:
            preparation: What.
        """
        if self.board.is_running:
            if self.board.is_recording:
                told = f"{self.preparation.name} is being recorded: Esc ends that, then open {preparation.name} again."
                self.banner.tell(told, "caution")
                return
            self._asked = preparation
            self.banner.tell(f"{preparation.name} opens when the running sweep has been stopped.")
            self.board.stop()
            return
        try:
            self._replace(preparation)
        except Refusal as refusal:
            self.banner.tell(str(refusal), "caution")

    def run_script(self, file: Path, former: Path | None = None) -> None:
        """Play a script on the rig that is open, or was last; what can't be played is said in a sentence.

        Args:
            file: An EXPERIMENT.toml.
            former: A recording of it that was broken off, to go on from; None begins anew.
        """
        try:
            preparation = self._rig.scripted(read_script(file), former)
        except Refusal as refusal:
            self.banner.tell(str(refusal), "caution")
            return
        self._prefer(self.preferences.opened(file))
        self.open(preparation)

    def leave_script(self) -> None:
        """Go back to the family of the rig on which a script was played."""
        if self.preparation.script is None:
            self.banner.tell("No script is played here: Ctrl+R runs one.")
            return
        self.open(self.preparation.plain)

    def ask_script(self) -> None:
        """Let a script be chosen."""
        choose(self, "Run a script", _SCRIPTS, self.run_script)

    def ask_former(self) -> None:
        """Let a recording be chosen that was broken off, and the script that it was."""

        def take(former: Path) -> None:
            choose(self, f"The script of {former.name}", _SCRIPTS, partial(self.run_script, former=former))

        choose(self, "Recording of a script that was broken off", _OWN, take)

    def ask_recording(self) -> None:
        """Let a recording be chosen."""
        choose(self, "Open a recording", _RECORDINGS, self.open_file)

    def ask_rig(self) -> None:
        """Let a rig file be chosen."""
        choose(self, "Open a rig file", _RIG_FILES, self.open_file)

    def ask_reading(self) -> None:
        """Show what the recording holds, and let it be read otherwise."""
        settings = self.preparation.settings
        if not isinstance(settings, ReplaySettings):
            self.banner.tell("Only a recording can be read otherwise: open one by Ctrl+O.")
            return
        card = ReadingCard(settings, partial(described, settings.file), self.board.theme, self)
        card.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        card.chosen.connect(lambda asked: self.open(recorded(asked)))
        card.show()

    def ask_network(self) -> None:
        """Show which networks there are."""

        def find(take: Callable[[Path], object]) -> None:
            choose(card, "Open a network", _NETWORKS, take)

        def add(path: Path) -> None:
            self._further = [*self._further, path]
            card.search(partial(there, self.preparation, self._further), path)

        used = self.preparation.network or FIRST
        card = NetworksCard((), used, self.board.theme, find, self)
        card.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        card.opened.connect(add)
        card.chosen.connect(lambda path: self.open(self.preparation.read_by(path)))
        card.search(partial(there, self.preparation, self._further))
        card.show()

    def ask_pretraining(self) -> None:
        """Show what a new network can be made of."""

        def find(take: Callable[[Path], object]) -> None:
            choose(card, "Open a spec", _SPECS, take)

        run = PretrainingRun()
        specs = [FIRST.with_name(f"{name}.toml") for name in SHIPPED]
        card = PretrainingCard(specs, own(), run, find, self.board.theme, self)
        run.setParent(card)
        card.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        card.made.connect(lambda path: self.open(self.preparation.read_by(path)))
        card.show()

    def open_simulated(self) -> None:
        """Open the simulated cell."""
        self.open(on_rig(Settings()))

    def dragEnterEvent(self, event: QtGui.QDragEnterEvent) -> None:
        """Take a file, whatever it is: what can't be read is refused in words when it is dropped."""
        if _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QtGui.QDropEvent) -> None:
        """Open what was dropped."""
        file = _dropped(event)
        if file is not None:
            event.acceptProposedAction()
            self.open_file(file)

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        """Close the session's window first, which may ask for a moment, and wait for its engine."""
        if self._is_gone:
            return
        self._is_leaving = True
        self.liking.look()
        if not self.board.close():
            self._is_leaving = False
            event.ignore()
            return
        for kind in (PretrainingCard, NetworksCard, ReadingCard):
            for card in self.findChildren(kind):
                card.close()
        self.liking.keep()
        self._prefer(replace(self.preferences, geometry=bytes(self.saveGeometry().data())))
        self.client.close()
        for ending in self._endings:
            ending.join()
        self._is_gone = True
        super().closeEvent(event)

    def _sit(self, preparation: Preparation, client: Engine | None = None) -> tuple[Engine, Window]:
        """Start the engine of a preparation, where it has none yet, and put its window in place."""
        title = self._load(preparation.network or FIRST)
        spec = title.spec
        client = client or self._engine(preparation.opener)
        client.infer(spec.parameters)
        settings = preparation.settings
        window = Window(
            client, spec.parameters, FEATURES, spec.name, preparation.name,
            feed=client, is_replay=preparation.is_replay, rules=settings.quality, theme=self._theme,
            folder=None if isinstance(settings, ReplaySettings) else settings.recording.where,
            protocol=_builder(preparation, title),
        )  # fmt: skip
        window.closed.connect(self._leave)
        window.worn.connect(self._wear)
        window.protocol.applied.connect(partial(self._play, client))
        window.bridge.ended.connect(self._go_on)
        window.bridge.ended.connect(self._advise)
        self._column.addWidget(window, 1)
        self.liking = Liking(preparation.key, window)
        _attend(window, preparation.protocol)
        window.drug.form.allow(preparation.protocol, preparation.without_drug(spec.process.name))
        if preparation.script is not None:
            window.script.show_script(preparation.script)
            window.docks.front("script")
        self._wear(window.theme)
        self.setWindowTitle(f"rig-plugin: {preparation.name}")
        return client, window

    def _replace(self, preparation: Preparation) -> None:
        """Take what lies here away and begin with something else; what can't be opened leaves all as it is."""
        old_client, old_window = self.client, self.board
        self.client, self.board = self._sit(preparation)
        self.preparation = preparation
        self._rig = self._rig if preparation.is_replay else preparation
        old_window.closed.disconnect(self._leave)
        old_window.close()
        self._column.removeWidget(old_window)
        old_window.deleteLater()
        # An engine takes a moment to end, which nobody has to wait for.
        self._endings = [ending for ending in self._endings if ending.is_alive()]
        self._endings.append(threading.Thread(target=old_client.close, name="ending"))
        self._endings[-1].start()
        self.menus.follow(self.board)
        self.banner.withdraw()
        self.board.start()

    def _go_on(self, _: str | None) -> None:
        """Open what had to wait for the end of a session, once that is told everywhere."""
        asked, self._asked = self._asked, None
        if asked is not None:
            QtCore.QTimer.singleShot(0, lambda: self.open(asked))

    def _advise(self, reason: str | None) -> None:
        """Say where a recording can be read otherwise, that could not be read as it was, or a script gone on with."""
        if reason is not None and self.preparation.is_replay and self._asked is None:
            self.banner.tell(reason, "caution", remedy=("Read it otherwise…", self.ask_reading))
        script, shown = self.preparation.script, self.board.script
        # What was ended before anything was recorded adds nothing to the recording that it went on from.
        former = self.board.recorded or self.preparation.former
        if script is not None and shown.broken is not None and shown.over and former is not None and not self._asked:
            told = f"{script.name} was broken off in stage {shown.broken + 1}; what is over needs not be played again."
            again = self.preparation.scripted(script, former)
            self.banner.tell(told, "caution", remedy=("Go on with it", lambda: self.open(again)))

    def _play(self, client: Engine, protocol: ProtocolSettings) -> None:
        """Have another protocol played from the next start on, whoever opens that."""
        self.preparation = self._rig = self.preparation.played(protocol)
        client.play(protocol)
        _attend(self.board, protocol)
        self.board.drug.form.follow(protocol)

    def _prefer(self, preferences: Preferences) -> None:
        self.preferences = preferences
        keep(self._file, preferences)

    def _welcome(self) -> None:
        self._prefer(replace(self.preferences, welcomed=True))

    def _leave(self) -> None:
        """Close with the window, where it closed by itself after its last question was answered."""
        if not self._is_leaving:
            self.close()

    def _wear(self, theme: Theme) -> None:
        self._theme = theme
        self.setStyleSheet(theme.sheet())
        self.banner.wear(theme)


def _attend(window: Window, protocol: ProtocolSettings | None) -> None:
    """Let each sweep wait for a word where the protocol wants that."""
    if protocol is not None and protocol.chosen_by == "accept":
        window.protocol.next.auto.setChecked(False)


def _builder(preparation: Preparation, title: Title) -> FamilyBuilder:
    """Make the panel of what is played."""
    settings = preparation.settings
    if isinstance(settings, ReplaySettings):
        return FamilyBuilder(None)
    judge = partial(unread, domain=title.domain, rate=settings.rig.rate)
    return FamilyBuilder(settings.protocol, settings.limits.limits(), judge, preparation.is_alive)


def _dropped(event: QtGui.QDropEvent) -> Path | None:
    """Find the first file of the computer's own that is dropped; None where there is none."""
    mime = event.mimeData()
    files = [url.toLocalFile() for url in mime.urls()] if mime is not None and mime.hasUrls() else []
    return next((Path(file) for file in files if file), None)
