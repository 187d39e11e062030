"""This file is the file dialog: a file is chosen while everything else goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from rig_plugin.widgets.qt import QtCore, QtWidgets

__all__ = ["choose"]

_MODES = {
    "file": QtWidgets.QFileDialog.FileMode.ExistingFile,
    "folder": QtWidgets.QFileDialog.FileMode.Directory,
    "new": QtWidgets.QFileDialog.FileMode.AnyFile,
}


def choose(
    parent: QtWidgets.QWidget,
    title: str,
    kinds: str,
    take: Callable[[Path], object],
    *,
    wanted: Literal["file", "folder", "new"] = "file",
    proposed: Path | None = None,
) -> QtWidgets.QFileDialog:
    """Show a dialog and return at once.

    It is Qt's own and blocks nothing: the platform's would keep Esc from the cell while it is open.

    Args:
        parent: The window over which it stands.
        title: What is chosen.
        kinds: As Qt's filters are written: `Recordings (*.abf *.nwb);;All files (*)`.
        take: Is given what was chosen.
        wanted: A file that is there, a folder, or a file to be made.
        proposed: What is chosen at first.

    Returns:
        The dialog, which deletes itself when it is closed.
    """
    dialog = QtWidgets.QFileDialog(parent, title)
    dialog.setOption(QtWidgets.QFileDialog.Option.DontUseNativeDialog, True)
    dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(_MODES[wanted])
    if wanted == "new":
        dialog.setAcceptMode(QtWidgets.QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters(kinds.split(";;"))
    if proposed is not None:
        dialog.setDirectory(str(proposed.parent))
        dialog.selectFile(proposed.name)
    dialog.setModal(False)
    dialog.fileSelected.connect(lambda file: take(Path(file)))
    dialog.show()
    return dialog
