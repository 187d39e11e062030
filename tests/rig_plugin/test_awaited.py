"""What is waited for after a sweep is on the screen first."""

from rig_plugin.widgets.qt import QtCore
from rig_plugin.window import Window


def test_the_posterior_and_its_trust_are_on_the_screen_before_other_panels_draw(qtbot, scripted):
    window = Window(scripted.control(), scripted.parameters, scripted.features, "cortical-steps", "simulated cell")
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    painted, told = [], []

    class Painted(QtCore.QObject):
        def eventFilter(self, watched, event):
            if event.type() == QtCore.QEvent.Type.Paint:
                painted.append(watched)
            return False

    eye = Painted()
    awaited = [window.trust.strip, *window.posterior.rows.values()]
    for widget in awaited:
        widget.installEventFilter(eye)

    def note(trials):
        # Those that scroll out of sight are painted when they are scrolled to.
        seen = [widget for widget in awaited if not widget.visibleRegion().isEmpty()]
        told.append((len(seen) > 5 and set(seen) <= set(painted), window.features.cells("spike_count")[1]))

    window.judged.connect(note)
    unread = window.features.cells("spike_count")[1]
    painted.clear()
    with qtbot.waitSignal(window.bridge.finished):
        window.feed.finished(scripted.trial(3))
    assert told == [(True, unread)]
    assert window.features.cells("spike_count")[1] != unread
