"""A script in the window, on the simulated rig, through its engine: to the verdict, broken off, and gone on with."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from hardware.kept.decisions import decisions
from rig_plugin.desk import Desk
from rig_plugin.preparation import of_file
from rig_plugin.widgets.qt import QtCore
from rig_plugin.widgets.theme import DARK, LIGHT

DOCS = Path(__file__).resolve().parents[2] / "docs"
RIG = "[rig]\nseed = 3\npace = 'max'\n[recording]\nfolder = '.'\n"
FAMILY = "[[stage]]\nkind = 'family'\namplitudes_pA = [-50.0, 50.0]\nonset_ms = 100.0\nduration_ms = 200.0\n"
ENDLESS = "[[stage]]\nkind = 'rest'\nlasts_s = 0\n"
PATIENCE = 280_000


@contextmanager
def opened(qtbot, folder, more=""):
    """A desk with a rig that records into a folder; closed, and its engine ended, whatever comes."""
    rig = folder / "rig.toml"
    rig.write_text(RIG + more, encoding="utf-8")
    desk = Desk(of_file(rig))
    qtbot.addWidget(desk)
    desk.show()
    qtbot.waitUntil(desk.isActiveWindow)
    try:
        yield desk
    finally:
        desk.board.stop()
        qtbot.waitUntil(lambda: not desk.board.is_running, timeout=60_000)
        desk.close()


@pytest.mark.long
def test_the_experiment_of_the_documents_is_played_in_the_window_to_its_verdict(qtbot, tmp_path):
    with opened(qtbot, tmp_path) as desk:
        desk.open_file(DOCS / "experiment.toml")
        script, drug = desk.board.script, desk.board.drug
        assert "0 of 6 stages over" in script.words() and not drug.rows
        qtbot.waitUntil(lambda: drug.rows > 0, timeout=PATIENCE)
        # Said before it was given.
        assert "▶ drug 0 of 3" in drug.words() and "nS injected" in drug.words()
        assert all(drug.cells(row)[5] == "–" for row in range(drug.rows))
        assert "▶ 6 drug, runs" in script.words() and not drug.visibleRegion().isEmpty()
        qtbot.waitUntil(lambda: not desk.board.is_running, timeout=PATIENCE)
        assert "● control after 3 of 3" in drug.words() and "● Confirmed. The cell under" in drug.words()
        assert any("●" in drug.cells(row)[5] for row in range(drug.rows))
        assert "6 of 6 stages over" in script.words() and "All 6 stages" in script.words()
        assert "needs not be played again" not in desk.banner.words()
        (path,) = tmp_path.glob("*.h5")
        told = desk.board.log.lines()
        for decision in decisions(path):
            assert any(decision.said in line for line in told)
        folder = Path(os.environ.get("RIG_ARTEFACTS", tmp_path))
        for theme in (DARK, LIGHT):
            desk.board.wear(theme)
            assert desk.board.grab().save(str(folder / f"script_{theme.name}.png"))


@pytest.mark.long
def test_escape_ends_a_script_and_the_window_goes_on_with_it_from_its_recording(qtbot, tmp_path):
    file = tmp_path / "cell.toml"
    file.write_text(FAMILY + ENDLESS, encoding="utf-8")
    with opened(qtbot, tmp_path) as desk:
        desk.run_script(file)
        for count in (1, 2):
            qtbot.waitUntil(lambda: "▶ 2 rest, runs" in desk.board.script.words(), timeout=PATIENCE)
            qtbot.keyClick(desk.board, QtCore.Qt.Key.Key_Escape)
            qtbot.waitUntil(lambda: not desk.board.is_running, timeout=60_000)
            assert "Somebody ended the session in stage 2 (rest)" in desk.board.script.words()
            found = sorted(tmp_path.glob("*.h5"), key=lambda path: path.stat().st_mtime_ns)
            assert len(found) == count
            assert "cell.toml was broken off in stage 2" in desk.banner.words()
            if count == 1:
                desk.banner.remedy.click()
        assert [decision.event for decision in decisions(found[1])][:3] == ["taken over", "began", "stopped"]
        assert "● 1 family, over" in desk.board.script.words()


def waits(board, number):
    """Whether the sweep of this number waits for a word."""
    proposed = board.protocol.next.proposed
    return proposed is not None and proposed.waits and proposed.number == number


@pytest.mark.long
def test_a_drug_that_is_asked_for_beside_a_family_is_given_and_judged(qtbot, tmp_path):
    steps = "[protocol]\namplitudes_pA = [-50.0, 100.0, 150.0, 50.0]\nonset_ms = 200.0\nduration_ms = 500.0\n"
    with opened(qtbot, tmp_path, steps) as desk:
        board, form = desk.board, desk.board.drug.form
        board.docks.front("drug")
        assert not form.button.isEnabled() and "Space starts one" in form.words
        # Each sweep waits, so that the session is not over before somebody asks.
        qtbot.keyClick(board, QtCore.Qt.Key.Key_A)
        board.toggle()
        for trial in range(3):
            qtbot.waitUntil(lambda trial=trial: waits(board, trial), timeout=60_000)
            qtbot.keyClick(board, QtCore.Qt.Key.Key_G)
        qtbot.waitUntil(lambda: waits(board, 3), timeout=60_000)
        qtbot.waitUntil(form.button.isEnabled)
        form.button.click()
        qtbot.keyClick(board, QtCore.Qt.Key.Key_A)
        qtbot.waitUntil(lambda: not board.is_running, timeout=PATIENCE)
        assert "● control after 3 of 3" in board.drug.words() and board.drug.rows
        assert "The virtual drug is over" in "\n".join(board.log.lines())
        (path,) = tmp_path.glob("*.h5")
        assert [decision.kind for decision in decisions(path)] == 5 * ["drug"]
