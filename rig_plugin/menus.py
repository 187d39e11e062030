"""This file is the menus: all that can be done, in words, with its key beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rig_plugin.widgets.action import action
from rig_plugin.widgets.menu import Menu
from rig_plugin.window import Window

if TYPE_CHECKING:
    from rig_plugin.desk import Desk

__all__ = ["Menus"]


class Menus:
    """The bar over the desk. What belongs to a session's window is taken from it, and follows the next one.

    Args:
        desk: Whose.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.file, self.session = self._menu("&File"), self._menu("&Session")
        self.network = self._menu("&Network")
        self.view, self.help = self._menu("&View"), self._menu("&Help")
        self._own = (
            action(desk, "Open a recording…", "Ctrl+O", desk.ask_recording, "ABF, NWB or one of this program."),
            action(desk, "Read the recording otherwise…", "", desk.ask_reading, "Its channels, epoch and junction."),
            action(desk, "Open a rig file…", "Ctrl+Shift+O", desk.ask_rig, "Says what the cell is attached to."),
            action(desk, "Run a script…", "Ctrl+R", desk.ask_script, "An experiment, played unattended on this rig."),
            action(desk, "Go on with a script…", "", desk.ask_former, "From the recording of one that was broken off."),
            action(desk, "Leave the script", "", desk.leave_script, "Back to the family of the same rig."),
            action(desk, "Simulated cell", "", desk.open_simulated, "A cell of the model, at a real cell's pace."),
        )
        self._networks = (
            action(desk, "Choose a network…", "Ctrl+N", desk.ask_network, "What each is for, and whether it fits."),
            action(desk, "Pretrain another…", "", desk.ask_pretraining, "From a spec, in some minutes to hours."),
        )
        self._sizes = (
            action(desk, "Larger letters", "Ctrl+=", lambda: desk.liking.scale(1)),
            action(desk, "Smaller letters", "Ctrl+-", lambda: desk.liking.scale(-1)),
            action(desk, "Letters as at first", "Ctrl+0", lambda: desk.liking.scale(0)),
        )
        self._changes = (
            action(desk, "Undo a change of the window", "Ctrl+Z", lambda: desk.liking.undo()),
            action(desk, "Do it again", "Ctrl+Shift+Z", lambda: desk.liking.redo()),
        )
        self.recent = self._menu("Open &again", on_bar=False)
        self.recent.aboutToShow.connect(self._recall)
        self._quit = action(desk, "Quit", "Ctrl+Q", desk.close)
        self.follow(desk.board)

    def follow(self, window: Window) -> None:
        """Show what can be done in another window.

        Args:
            window: Which.
        """
        acts, docks = window.actions_by_name, window.docks
        for menu in (self.file, self.session, self.network, self.view, self.help):
            menu.clear()
        for made in self._own:
            self.file.addAction(made)
        self.file.addMenu(self.recent)
        self.file.addSeparator()
        for name in ("export", "table", "draws", "copy"):
            self.file.addAction(acts[name])
        self.file.addSeparator()
        self.file.addAction(self._quit)
        for name in ("start", "stop", "record", "mark", "note", "go", "skip", "gate"):
            self.session.addAction(acts[name])
        for made in self._networks:
            self.network.addAction(made)
        for name in docks.names:
            self.view.addAction(docks.switch(name))
        self.view.addSeparator()
        for name in ("back", "cursors", "arrange", "reset", "theme"):
            self.view.addAction(acts[name])
        for made in (*self._sizes, *self._changes):
            self.view.addAction(made)
        self.help.addAction(acts["keys"])

    def _recall(self) -> None:
        """List what was opened before, newest first."""
        self.recent.clear()
        for name in self._desk.preferences.recent:
            file = Path(name)
            entry = self.recent.addAction(file.name)
            if entry is not None:
                entry.setToolTip(name)
                entry.triggered.connect(lambda *_, file=file: self._desk.open_file(file))
        if self.recent.isEmpty():
            nothing = self.recent.addAction("Nothing yet")
            if nothing is not None:
                nothing.setEnabled(False)

    def _menu(self, title: str, *, on_bar: bool = True) -> Menu:
        menu = Menu(title, self._desk)
        menu.escaped.connect(lambda: self._desk.board.stop())
        bar = self._desk.menuBar()
        if bar is not None and on_bar:
            bar.addMenu(menu)
        return menu
