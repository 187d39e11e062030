import pytest

from rig_plugin.arrangement import ARRANGEMENT
from rig_plugin.widgets.docks import Docks
from rig_plugin.widgets.panel import Panel

SMALL = ((1, ((1, ((1, ("a", "b")),)), (1, ((1, ("c",)),)))), (2, ((1, ((1, ("d",)),)),)))


@pytest.fixture
def docks(qtbot):
    made = Docks(SMALL)
    qtbot.addWidget(made)
    made.hold({name: (name.upper(), Panel(name, name)) for name in "abcd"})
    made.resize(900, 600)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    qtbot.waitUntil(lambda: made.findChild(Panel) is not None and panel(made, "d").width() > 500)
    return made


def panel(docks, name):
    return docks._docks[name].widget()


def seen(docks, name):
    return not panel(docks, name).visibleRegion().isEmpty()


def test_panels_have_their_share_of_the_room(qtbot, docks):
    qtbot.waitUntil(lambda: abs(panel(docks, "d").width() - 2 * panel(docks, "c").width()) < 30)
    assert abs(panel(docks, "a").height() - panel(docks, "c").height()) < 60
    assert seen(docks, "a") and not seen(docks, "b")


def test_a_panel_that_is_called_comes_before_its_neighbour(qtbot, docks):
    docks.front("b")
    qtbot.waitUntil(lambda: seen(docks, "b") and not seen(docks, "a"))


def test_panels_can_be_moved_only_while_they_are_arranged_or_float(docks):
    movable = docks._docks["c"].DockWidgetFeature.DockWidgetMovable
    assert not docks._docks["c"].features() & movable
    docks.arrange(True)
    assert docks._docks["c"].features() & movable and docks.is_arranging
    docks.arrange(False)
    docks._docks["c"].setFloating(True)
    assert docks._docks["c"].features() & movable and not docks._docks["d"].features() & movable
    docks._docks["c"].setFloating(False)
    assert not docks._docks["c"].features() & movable


def test_a_layout_comes_back_and_what_is_none_changes_nothing(qtbot, docks):
    docks.hide_panel("d")
    docks._docks["c"].setFloating(True)
    layout = docks.layout_bytes()
    docks.reset()
    assert docks.is_shown("d") and not docks._docks["c"].isFloating()
    for nonsense in (b"", b"nonsense", layout[: len(layout) // 2]):
        assert not docks.restore(nonsense)
    assert docks.is_shown("d")
    assert docks.restore(layout)
    assert not docks.is_shown("d") and docks._docks["c"].isFloating()
    # What floats has a bar to be moved back by.
    assert docks._docks["c"].titleBarWidget() is None


def test_each_panel_is_placed_once(qtbot):
    docks = Docks(SMALL)
    qtbot.addWidget(docks)
    with pytest.raises(ValueError, match="differ by d"):
        docks.hold({name: (name, Panel(name, name)) for name in "abc"})


def test_the_arrangement_names_no_panel_twice():
    names = [name for _, rows in ARRANGEMENT for _, row in rows for _, stack in row for name in stack]
    assert len(set(names)) == len(names)
