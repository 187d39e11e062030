"""Every panel in both themes as a picture, kept where RIG_ARTEFACTS names a folder, or with the test's files."""

import os
from pathlib import Path

import pytest

from rig_plugin.widgets.theme import DARK, LIGHT
from rig_plugin.window import Window

FEWEST = 8
"""Colours that anything but an empty frame has."""


@pytest.fixture
def window(qtbot, scripted):
    made = Window(scripted.control(scripted.status(100)), scripted.parameters, scripted.features, "net", "a cell")
    qtbot.addWidget(made)
    made.resize(1366, 768)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    for index in range(5):
        made.feed.finished(scripted.trial(index, score=0.03 if index == 4 else 0.9))
    scripted.play(made.feed, 5, share=0.6)
    made.bridge.poll()
    made.log.write("drug in", "mark")
    return made


def colours(widget):
    image = widget.grab().toImage()
    places = [(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)]
    return {image.pixel(x, y) for x, y in places}


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_every_panel_shows_something_in_both_themes(qtbot, window, theme, tmp_path):
    folder = Path(os.environ.get("RIG_ARTEFACTS", tmp_path)) / theme.name
    folder.mkdir(parents=True, exist_ok=True)
    window.wear(theme)
    blank = []
    for name in window.docks.names:
        window.docks.front(name)
        panel = window.docks.panel(name)
        qtbot.waitUntil(lambda panel=panel: not panel.visibleRegion().isEmpty())
        seen = colours(panel)
        blank += [name] if len(seen) < FEWEST else []
        panel.grab().save(str(folder / f"{name}.png"))
    window.grab().save(str(folder / "window.png"))
    assert blank == []
    assert {path.stem for path in folder.glob("*.png")} == {*window.docks.names, "window"}


def test_the_whole_window_fits_a_small_screen(qtbot, window):
    assert window.minimumSizeHint().width() <= 1366 and window.minimumSizeHint().height() <= 700
