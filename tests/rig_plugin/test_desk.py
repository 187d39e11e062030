"""The desk: what is opened, by which way, and what is refused in words."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from estimators.pretrained import FIRST, SHIPPED, shipped
from estimators.title import read_title
from hardware.decision import Decision
from rig_plugin.desk import Desk
from rig_plugin.dosing import Dosing
from rig_plugin.engine import opened
from rig_plugin.feed import Feed
from rig_plugin.preparation import of_file, on_rig, recorded
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.settings import Settings
from rig_plugin.widgets.networks import NetworksCard
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets
from rig_plugin.widgets.reading import ReadingCard
from simulators.refusal import Refusal

Key = QtCore.Qt.Key


class Puppet(Feed):
    """An engine that notes what it was asked and says what a test tells it."""

    def __init__(self, opener):
        super().__init__()
        self.opener, self.calls, self.closed = opener, [], threading.Event()

    @property
    def status(self):
        return self.recording_told

    recording_told = None

    def infer(self, parameters):
        self.parameters = parameters

    def start(self):
        self.calls.append("start")

    def stop(self):
        self.calls.append("stop")

    def note(self):
        self.calls.append("note")

    def look(self, names):
        self.looked = names

    def gate(self, mode):
        self.stands = mode

    def go(self):
        self.calls.append("go")

    def refine(self):
        self.calls.append("refine")

    def skip(self):
        self.calls.append("skip")

    def play(self, protocol):
        self.calls.append(("play", protocol.step))

    def record(self, on, folder=None):
        self.calls.append(("record", on, folder))

    def mark(self, text=""):
        self.calls.append("mark")

    def close(self):
        self.closed.set()


@pytest.fixture
def desk(qtbot, scripted, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def load(path):
        if path is not None and path.name == "broken.h5":
            raise Refusal("broken.h5 is no checkpoint: choose another network.")
        process = SimpleNamespace(name="cortical")
        spec = SimpleNamespace(parameters=scripted.parameters, name=str(path), process=process)
        return SimpleNamespace(spec=spec, domain=read_title(FIRST).domain)

    made = Desk(on_rig(Settings()), load=load, engine=Puppet)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    made.start()
    return made


def end(qtbot, desk):
    with qtbot.waitSignal(desk.board.bridge.ended):
        desk.client.ended(None)


def test_a_new_user_is_told_how_to_open_a_recording(qtbot, desk, tmp_path):
    assert "Ctrl+O" in desk.banner.words() and "dropped" in desk.banner.words()
    qtbot.mouseClick(desk.banner.remedy, QtCore.Qt.MouseButton.LeftButton)
    (dialog,) = desk.findChildren(QtWidgets.QFileDialog)
    assert dialog.isVisible() and not dialog.isModal()
    dialog.close()


def test_a_file_that_is_dropped_is_opened_when_the_running_sweep_is_over(qtbot, desk, scripted, tmp_path):
    file, first = tmp_path / "cell.abf", desk.client
    drop(desk, file)
    assert first.calls == ["start", "stop"] and "cell.abf opens" in desk.banner.words()
    end(qtbot, desk)
    qtbot.waitUntil(lambda: desk.preparation.name == "cell.abf")
    assert first.closed.wait(5)
    assert desk.client.opener.args == (ReplaySettings(file),)
    assert desk.client.calls == ["start"] and desk.board.is_running
    assert desk.client.parameters == scripted.parameters
    assert desk.windowTitle() == "rig-plugin: cell.abf" and not desk.banner.words()
    # What the menu holds belongs to the window that is there.
    desk.board.actions_by_name["mark"].trigger()
    assert desk.client.calls == ["start", "mark"]
    assert desk.board.actions_by_name["mark"] in desk.menus.session.actions()


def test_nothing_is_opened_over_a_recording_that_runs(qtbot, desk, scripted, tmp_path):
    desk.client.recording_told = scripted.status(100)
    first = desk.client
    drop(desk, tmp_path / "cell.abf")
    assert "is being recorded: Esc ends that" in desk.banner.words()
    assert desk.client is first and first.calls == ["start"]
    first.recording_told = None
    end(qtbot, desk)


def test_what_cannot_be_opened_is_a_sentence_and_leaves_all_as_it_is(qtbot, desk, tmp_path):
    end(qtbot, desk)
    first, window = desk.client, desk.board
    drop(desk, tmp_path / "none.toml")
    assert "can't be read" in desk.banner.words() and "▲" in desk.banner.words()
    desk.open(recorded(ReplaySettings(tmp_path / "cell.abf", network=tmp_path / "broken.h5")))
    assert "choose another network" in desk.banner.words()
    assert desk.client is first and desk.board is window and not first.closed.is_set()


def test_a_desk_closes_with_its_window_and_ends_its_engine(qtbot, desk):
    end(qtbot, desk)
    desk.board.close()
    qtbot.waitUntil(lambda: not desk.isVisible())
    assert desk.client.closed.is_set()


def test_a_menu_that_is_open_does_not_keep_escape_from_the_cell(qtbot, desk):
    menu = desk.menus.session
    menu.popup(QtCore.QPoint(10, 10))
    qtbot.waitUntil(menu.isVisible)
    qtbot.keyClick(menu, Key.Key_Escape)
    assert desk.client.calls == ["start", "stop"] and not menu.isVisible()
    end(qtbot, desk)


def test_a_rig_file_is_told_from_a_recording_by_its_name(tmp_path):
    rig = tmp_path / "rig.toml"
    rig.write_text("[rig]\nkind = 'model-cell'\n", encoding="utf-8")
    assert of_file(rig).name == "rig.toml (simulated cell)" and not of_file(rig).is_replay
    assert of_file(tmp_path / "cell.nwb").is_replay
    with pytest.raises(ValueError, match="played already"):
        of_file(tmp_path / "cell.nwb").played(Settings().protocol)


def drop(desk, file):
    mime = QtCore.QMimeData()
    mime.setUrls([QtCore.QUrl.fromLocalFile(str(file))])
    button, action = QtCore.Qt.MouseButton.LeftButton, QtCore.Qt.DropAction.CopyAction
    keys = QtCore.Qt.KeyboardModifier.NoModifier
    entering = QtGui.QDragEnterEvent(QtCore.QPoint(50, 50), action, mime, button, keys)
    QtWidgets.QApplication.sendEvent(desk, entering)
    assert entering.isAccepted()
    event = QtGui.QDropEvent(QtCore.QPointF(50, 50), action, mime, button, keys)
    QtWidgets.QApplication.sendEvent(desk, event)


def test_the_window_is_as_it_was_left_the_next_time(qtbot, desk, scripted):
    end(qtbot, desk)
    desk.board.swap_theme()
    desk.liking.scale(3)
    desk.board.docks.hide_panel("membrane")
    desk.board.posterior.chosen.emit("g_M")
    desk.resize(1200, 700)
    desk.close()
    other = Desk(on_rig(Settings()), load=desk._load, engine=Puppet)
    qtbot.addWidget(other)
    other.show()
    qtbot.waitUntil(other.isActiveWindow)
    assert (other.board.theme.name, other.board.theme.scale) == ("light", 1.3)
    assert not other.board.docks.is_shown("membrane") and other.board.docks.is_shown("features")
    assert other.board.evolution.followed == "g_M"
    # Qt itself keeps it on the screen that there is.
    assert other.preferences.geometry == desk.preferences.geometry != b""
    # Another rig is liked in another way.
    other.open(recorded(ReplaySettings(Path("cell.abf"))))
    assert other.board.theme.name == "dark" and other.board.docks.is_shown("membrane")
    end(qtbot, other)


def test_changes_of_the_window_are_undone_one_by_one(qtbot, desk):
    first = desk.board.theme
    desk.board.swap_theme()
    desk.liking.scale(1)
    second = desk.board.theme
    assert desk.liking.undo() and desk.board.theme.scale == 1.0 and desk.board.theme.name == second.name
    assert desk.liking.undo() and desk.board.theme == first
    assert desk.liking.redo() and desk.liking.redo() and desk.board.theme == second
    assert not desk.liking.redo()
    end(qtbot, desk)


def test_what_was_opened_is_listed_and_opened_again(qtbot, desk, tmp_path):
    end(qtbot, desk)
    drop(desk, tmp_path / "cell.abf")
    end(qtbot, desk)
    desk.menus.recent.aboutToShow.emit()
    (entry,) = desk.menus.recent.actions()
    assert entry.text() == "cell.abf"
    desk.open_simulated()
    assert desk.preparation.name == "simulated cell"
    end(qtbot, desk)
    entry.trigger()
    assert desk.preparation.name == "cell.abf"
    end(qtbot, desk)


def test_the_first_words_are_said_until_they_were_closed(qtbot, desk):
    qtbot.mouseClick(desk.banner.close_button, QtCore.Qt.MouseButton.LeftButton)
    other = Desk(on_rig(Settings()), load=desk._load, engine=Puppet)
    qtbot.addWidget(other)
    assert not other.banner.words()
    end(qtbot, desk)


def test_another_network_reads_what_lies_on_the_desk(qtbot, desk):
    end(qtbot, desk)
    desk.ask_network()
    (card,) = desk.findChildren(NetworksCard)
    qtbot.waitUntil(lambda: card.list.count() >= len(SHIPPED))
    assert "(in use)" in card.list.item(0).text() and card.isVisible() and not card.isModal()
    card.list.setCurrentRow(1)
    card.use.click()
    path = shipped("patchseq-13")
    assert desk.preparation.network == path and desk.client.opener.args[0].network.path == path
    assert desk.client.calls == ["start"] and str(path) in desk.board.status_line.words()
    end(qtbot, desk)


def test_a_protocol_that_is_applied_is_played_from_the_next_start_on_whoever_opens_that(qtbot, desk):
    panel = desk.board.protocol
    panel.form.boxes["step"].setValue(90.0)
    assert "not applied yet" in panel.words() and panel.preview.isVisible() is panel.isVisible()
    panel.apply_button.click()
    assert desk.client.calls == ["start", ("play", 90.0)]
    assert "played from the next start on" in panel.words()
    desk.open(desk.preparation.read_by(shipped("patchseq-13")))
    end(qtbot, desk)
    qtbot.waitUntil(lambda: desk.preparation.network is not None)
    assert desk.client.opener.args[0].protocol.step == 90.0 and desk.board.protocol.settings.step == 90.0
    end(qtbot, desk)


def test_sweeps_that_wait_for_a_word_do_so_again_in_the_next_window(qtbot, desk):
    assert desk.client.stands == "auto"
    qtbot.keyClick(desk.board, QtCore.Qt.Key.Key_A)
    assert desk.client.stands == "accept"
    desk.open(desk.preparation.read_by(shipped("patchseq-13")))
    end(qtbot, desk)
    qtbot.waitUntil(lambda: desk.preparation.network is not None)
    assert desk.client.stands == "accept" and desk.board.protocol.next.mode == "accept"
    end(qtbot, desk)


def test_a_recording_that_could_not_be_read_is_read_otherwise_from_the_window(qtbot, desk, tmp_path):
    desk.ask_reading()
    assert "Only a recording" in desk.banner.words()
    desk.open(recorded(ReplaySettings(tmp_path / "cell.abf")))
    end(qtbot, desk)
    qtbot.waitUntil(lambda: desk.preparation.is_replay)
    desk.board.feed.ended("cell.abf holds no step: choose an epoch.")
    qtbot.waitUntil(lambda: "holds no step" in desk.banner.words())
    desk.banner.remedy.click()
    (card,) = desk.findChildren(ReadingCard)
    card.boxes["junction_potential"].setText("14")
    card.use.click()
    assert desk.preparation.settings.junction_potential == 14.0 and desk.client.calls == ["start"]
    end(qtbot, desk)


SCRIPT = "[[stage]]\nkind = 'rest'\nlasts_s = 1\n\n[[stage]]\nkind = 'rest'\nlasts_s = 2\n"


@pytest.fixture
def script(tmp_path):
    file = tmp_path / "cell.toml"
    file.write_text(SCRIPT, encoding="utf-8")
    return file


def decide(qtbot, desk, stage, event, kind="rest"):
    with qtbot.waitSignal(desk.board.bridge.decided):
        desk.client.decided(Decision(stage, kind, event, f"So it is, {event}."))


def test_a_script_that_is_dropped_is_played_on_the_rig_that_is_open_and_gone_on_with(
    qtbot, desk, scripted, script, tmp_path, monkeypatch
):
    drop(desk, script)
    assert "cell.toml on simulated cell opens" in desk.banner.words()
    end(qtbot, desk)
    qtbot.waitUntil(lambda: desk.preparation.script is not None)
    opener, settings = desk.client.opener, desk.preparation.settings
    assert opener.func is opened.script and opener.args == (settings, desk.preparation.script)
    # What nobody watches is kept; where the rig file says nothing, too.
    assert opener.keywords == {"resume": None, "folder": settings.recording.where}
    assert "0 of 2 stages over" in desk.board.script.words() and desk.client.calls == ["start"]
    qtbot.waitUntil(lambda: not desk.board.script.visibleRegion().isEmpty())
    desk.client.recording_told = status = scripted.status(100, path=str(tmp_path / "a.h5"))
    desk.board._report(status)
    for stage, event in ((0, "began"), (0, "ended"), (1, "began"), (1, "stopped")):
        decide(qtbot, desk, stage, event)
    for words in (desk.board.script.words(), "\n".join(desk.board.log.lines())):
        assert "So it is, ended." in words
    qtbot.keyClick(desk.board, Key.Key_Escape)
    assert desk.client.calls == ["start", "stop"]
    desk.client.recording_told = None
    end(qtbot, desk)
    assert "cell.toml was broken off in stage 2" in desk.banner.words()
    asked = []
    monkeypatch.setattr(desk, "open", asked.append)
    desk.banner.remedy.click()
    desk.leave_script()
    assert [each.former for each in asked] == [tmp_path / "a.h5", None]
    assert [each.name for each in asked] == ["cell.toml on simulated cell", "simulated cell"]


def test_a_script_that_can_not_be_played_is_a_sentence_and_leaves_all_as_it_is(qtbot, desk, scripted, script, tmp_path):
    first = desk.client
    desk.leave_script()
    assert "No script is played here" in desk.banner.words()
    desk.client.recording_told = scripted.status(100)
    desk.run_script(script)
    assert "is being recorded: Esc ends that" in desk.banner.words()
    desk.client.recording_told = None
    desk.run_script(tmp_path / "none.toml")
    assert "can't be read" in desk.banner.words()
    script.write_text("[[stage]]\nkind = 'drug'\nfactor = 0.5\n", encoding="utf-8")
    drop(desk, script)
    assert "[stage 1 (drug)] conductance is missing" in desk.banner.words()
    assert desk.client is first and first.calls == ["start"] and desk.preparation.script is None
    end(qtbot, desk)


def test_a_recording_is_chosen_and_then_the_script_that_it_was_broken_off_in(qtbot, desk, script, monkeypatch):
    end(qtbot, desk)
    desk.open(recorded(ReplaySettings(Path("cell.abf"))))
    end(qtbot, desk)
    asked = []
    monkeypatch.setattr(desk, "open", asked.append)
    desk.ask_former()
    for chosen in (Path("b.h5"), script):
        dialog = next(each for each in desk.findChildren(QtWidgets.QFileDialog) if each.isVisible())
        dialog.fileSelected.emit(str(chosen))
        dialog.close()
    (found,) = asked
    # A recording is nothing that could be played on; the rig that was open before it is.
    assert (found.name, found.former) == ("cell.toml on simulated cell", Path("b.h5"))


def test_a_drug_comes_to_the_front_when_it_begins_and_what_is_no_drug_does_not(qtbot, desk):
    decide(qtbot, desk, 0, "began")
    assert desk.board.drug.visibleRegion().isEmpty()
    decide(qtbot, desk, 1, "began", "drug")
    with qtbot.waitSignal(desk.board.bridge.dosed):
        desk.client.dosed(Dosing("g_M", -0.8, 3, (1, 0, 0)))
    qtbot.waitUntil(lambda: not desk.board.drug.visibleRegion().isEmpty())
    assert "control before 1 of 3" in desk.board.drug.words()
    end(qtbot, desk)
    assert "Broken off" in desk.board.drug.words()
