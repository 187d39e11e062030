"""This file is the menus: all that can be done, in words, with its key beside it."""

from __future__ import annotations

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
        self.view, self.help = self._menu("&View"), self._menu("&Help")
        self._own = (
            action(desk, "Open a recording…", "Ctrl+O", desk.ask_recording, "ABF, NWB or one of this program."),
            action(desk, "Open a rig file…", "Ctrl+Shift+O", desk.ask_rig, "Says what the cell is attached to."),
            action(desk, "Simulated cell", "", desk.open_simulated, "A cell of the model, at a real cell's pace."),
        )
        self._quit = action(desk, "Quit", "Ctrl+Q", desk.close)
        self.follow(desk.board)

    def follow(self, window: Window) -> None:
        """Show what can be done in another window.

        Args:
            window: Which.
        """
        acts, docks = window.actions_by_name, window.docks
        for menu in (self.file, self.session, self.view, self.help):
            menu.clear()
        for made in self._own:
            self.file.addAction(made)
        self.file.addSeparator()
        self.file.addAction(acts["export"])
        self.file.addAction(acts["copy"])
        self.file.addSeparator()
        self.file.addAction(self._quit)
        for name in ("start", "stop", "mark", "note"):
            self.session.addAction(acts[name])
        for name in docks.names:
            self.view.addAction(docks.switch(name))
        self.view.addSeparator()
        for name in ("arrange", "reset", "theme"):
            self.view.addAction(acts[name])
        self.help.addAction(acts["keys"])

    def _menu(self, title: str) -> Menu:
        menu = Menu(title, self._desk)
        menu.escaped.connect(lambda: self._desk.board.stop())
        bar = self._desk.menuBar()
        if bar is not None:
            bar.addMenu(menu)
        return menu
