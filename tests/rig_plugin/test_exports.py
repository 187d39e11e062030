"""Exports: one menu on each panel, a dialog that blocks nothing, and a sentence for whatever comes of it."""

import csv
from xml.etree import ElementTree

import pytest

from rig_plugin.exports import Exports
from rig_plugin.widgets.curves import FiringCurve
from rig_plugin.widgets.header import Header
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets
from rig_plugin.widgets.theme import LIGHT


@pytest.fixture
def made(qtbot, scripted, tmp_path):
    """A window with a panel, its exports, and what was told."""
    window = QtWidgets.QWidget()
    qtbot.addWidget(window)
    panel = FiringCurve()
    QtWidgets.QVBoxLayout(window).addWidget(panel)
    window.resize(320, 260)
    window.show()
    exports = Exports(
        (panel,), "rig/a.toml", "cortical-steps", scripted.parameters, scripted.features, tmp_path, window
    )
    told = []
    exports.told.connect(lambda said, tone: told.append((said, tone)))
    trials = [scripted.trial(index) for index in range(3)]
    panel.take(*trials)
    exports.take(*trials)
    yield panel, exports, told
    exports.finish()


def answered(window, path):
    """Answer the dialog that is open, and give what it proposed."""
    dialog = window.findChild(QtWidgets.QFileDialog)
    proposed = dialog.selectedFiles()[0]
    dialog.fileSelected.emit(str(path))
    dialog.close()
    dialog.setParent(None)
    dialog.deleteLater()
    return proposed


def menus():
    """Those that are open, whoever opened them."""
    return [w for w in QtWidgets.QApplication.topLevelWidgets() if isinstance(w, QtWidgets.QMenu) and w.isVisible()]


def test_a_right_click_anywhere_on_a_panel_opens_one_menu_and_esc_in_it_reaches_the_cell(qtbot, made):
    panel, exports, _ = made
    viewport = panel._chart._view.viewport()
    spot = viewport.rect().center()
    qtbot.mouseClick(viewport, QtCore.Qt.MouseButton.RightButton, pos=spot)
    assert menus() == []
    reason = QtGui.QContextMenuEvent.Reason.Mouse
    QtWidgets.QApplication.sendEvent(viewport, QtGui.QContextMenuEvent(reason, spot, viewport.mapToGlobal(spot)))
    (menu,) = menus()
    assert [entry.text() for entry in menu.actions()] == ["Save figure as SVG…", "Save figure as PNG…", "Copy picture"]
    with qtbot.waitSignal(exports.escaped):
        qtbot.keyClick(menu, QtCore.Qt.Key.Key_Escape)
    assert menus() == []
    asked = []
    panel.figure_asked.disconnect()
    panel.figure_asked.connect(asked.append)
    for entry in menu.actions():
        entry.trigger()
    assert asked == ["svg", "png", "copy"]


def test_a_bare_line_is_no_figure(qtbot):
    header = Header(False, 0.0)
    qtbot.addWidget(header)
    header.show()
    spot = header.rect().center()
    event = QtGui.QContextMenuEvent(QtGui.QContextMenuEvent.Reason.Mouse, spot, header.mapToGlobal(spot))
    QtWidgets.QApplication.sendEvent(header, event)
    assert menus() == []


def test_a_figure_is_that_of_the_moment_when_it_was_asked_for(qtbot, scripted, made, tmp_path):
    panel, exports, told = made
    exports.take_figure(panel, "svg")
    later = scripted.trial(3)
    panel.take(later)
    exports.take(later)
    # A name without its ending gets it.
    proposed = answered(panel.window(), tmp_path / "mine")
    assert proposed.endswith("/rig-a-toml-f-I-trial-2.svg")
    qtbot.waitUntil(lambda: bool(told))
    assert told[0][1] == "text" and "mine.svg is written" in told[0][0]
    title = ElementTree.parse(tmp_path / "mine.svg").getroot()[0].text
    assert "rig/a.toml · trial 2 · " in title and "network cortical-steps" in title and "rig-plugin" in title
    exports.take_figure(panel, "png")
    answered(panel.window(), tmp_path / "mine.png")
    qtbot.waitUntil(lambda: len(told) > 1)
    image = QtGui.QImage(str(tmp_path / "mine.png"))
    assert image.width() == 3 * panel.width() and "trial 3" in image.text("Description")


def test_a_copied_picture_is_light_and_carries_its_vectors(qtbot, made):
    panel, exports, told = made
    exports.take_figure(panel, "copy")
    qtbot.waitUntil(lambda: bool(told))
    data = QtWidgets.QApplication.clipboard().mimeData()
    assert QtGui.QImage(data.imageData()).pixelColor(20, 4) == QtGui.QColor(LIGHT.panel)
    assert ElementTree.fromstring(bytes(data.data("image/svg+xml").data())).tag.endswith("svg")
    QtWidgets.QApplication.clipboard().clear()


def test_tables_are_saved_and_what_cannot_be_is_a_sentence(qtbot, scripted, made, tmp_path):
    panel, exports, told = made
    exports.save_table()
    assert answered(panel.window(), tmp_path / "all.csv").endswith("/rig-a-toml-trials-trial-2.csv")
    qtbot.waitUntil(lambda: len(told) == 1)
    with (tmp_path / "all.csv").open(newline="", encoding="utf-8") as file:
        assert [row["trial"] for row in csv.DictReader(file)] == ["0", "1", "2"]
    exports.save_draws()
    answered(panel.window(), tmp_path / "nowhere" / "draws.csv")
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told[1][1] == "caution" and "draws.csv can't be written" in told[1][0] and "choose" in told[1][0]
    exports.take(scripted.trial(3, withheld=True, reason="The seal broke."))
    exports.save_draws()
    assert told[2][1] == "caution" and "withheld. The seal broke." in told[2][0]
    (tmp_path / "b.txt.csv").write_bytes(b"mine")
    exports.save_table()
    answered(panel.window(), tmp_path / "b.txt")
    assert "is there already" in told[3][0] and (tmp_path / "b.txt.csv").read_bytes() == b"mine"
    exports.clear()
    exports.save_table()
    exports.save_draws()
    assert [said for said, _ in told[4:]] == [
        "There is no table to save before the first trial is over.",
        "nothing to save before the first sweep is over",
    ]


def test_a_defect_is_a_sentence_and_no_traceback(qtbot, made, monkeypatch):
    panel, exports, told = made
    monkeypatch.setattr("rig_plugin.widgets.figure.Figure.svg", lambda self: 1 / 0)
    exports.take_figure(panel, "copy")
    qtbot.waitUntil(lambda: bool(told))
    assert told == [("nothing was saved (ZeroDivisionError: division by zero); the session goes on", "caution")]
