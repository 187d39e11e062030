"""The panel of a script, alone: which stage runs, which come, and what each decided."""

import pytest

from hardware.decision import Decision
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.script import Script
from rig_plugin.stage_text import stage_text
from rig_plugin.stages import AdaptiveStage, DrugStage, FamilyStage, MembraneTestStage, RestStage, WaitStage
from rig_plugin.widgets.script import ScriptPanel

STEPS = ProtocolSettings(amplitudes=(-50.0, 100.0))
SCRIPT = Script((WaitStage(access=25.0), FamilyStage(STEPS), DrugStage("g_M", -0.8, STEPS)), name="cell.toml")


@pytest.fixture
def panel(qtbot):
    made = ScriptPanel()
    qtbot.addWidget(made)
    made.resize(470, 160)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def tell(panel, *told):
    for stage, kind, event, said in told:
        panel.decide(Decision(stage, kind, event, said))


def test_all_stages_are_said_before_they_begin_and_what_each_decided_under_it(panel):
    assert "Run a script" in panel.notice
    panel.show_script(SCRIPT)
    assert panel.notice == "" and "0 of 3 stages over" in panel.words()
    assert [line[0] for line in panel.words().splitlines()[1:]] == ["○", "○", "○"]
    tell(
        panel,
        (0, "wait", "began", "Stage 1 begins."),
        (0, "wait", "missed", "The access resistance is <40> MOhm."),
        (0, "wait", "ended", "Stage 1 is over."),
        (1, "family", "began", "Stage 2 begins."),
    )
    assert panel.words().splitlines() == [
        "1 of 3 stages over",
        "● 1 wait, over: the access resistance at most 25 MOhm, within 60 s; stops otherwise",
        "▲ The access resistance is <40> MOhm.",
        "Stage 1 is over.",
        "▶ 2 family, runs: 2 steps, -50 to 100 pA",
        "○ 3 drug, comes: 80 % of g_M taken away; control before - drug - control after, 2 steps, -50 to 100 pA each",
    ]
    assert (panel.over, panel.broken) == (1, None)
    tell(panel, (1, "family", "stopped", "Somebody ended the session."))
    assert "■ 2 family, stopped" in panel.words() and panel.broken == 1
    # The next start plays all of it again.
    panel.clear()
    assert panel.words().count("comes") == 3 and "ended" not in panel.words()


def test_stages_that_nobody_opened_here_appear_when_they_begin(panel):
    tell(panel, (1, "rest", "began", "Stage 2 begins."), (-1, "", "finished", "All 2 stages are over."))
    assert "▶ 2 rest, runs" in panel.words() and panel.words().endswith("● All 2 stages are over.")
    panel.show_script(None)
    assert "Run a script" in panel.notice


def test_the_stage_that_runs_is_kept_in_sight_unless_somebody_reads_elsewhere(panel):
    panel.show_script(SCRIPT)
    bar = panel._text.verticalScrollBar()
    tell(panel, (0, "wait", "began", ""), *((0, "wait", "measured", f"Test {k}.") for k in range(30)))
    assert bar.value() > 0
    bar.setValue(3)
    tell(panel, (0, "wait", "measured", "Test 30."))
    assert bar.value() == 3


@pytest.mark.parametrize(("stage", "said"), [
    (RestStage(2000.0, -20.0), "-20 pA held for 2 s"),
    (RestStage(0.0), "0 pA held until somebody ends it"),
    (MembraneTestStage("voltage", 2000.0), "in voltage clamp, for 2 s"),
    (AdaptiveStage({"g_M": 0.05}, 1), "until g_M known within 0.05; at most 1 sweep"),
    (DrugStage("g_K", 0.5, ProtocolSettings(amplitudes=(50.0,))),
     "50 % of g_K added; control before - drug - control after, 1 step, 50 pA each"),
])  # fmt: skip
def test_a_stage_says_what_it_does(stage, said):
    assert stage_text(stage) == said
