"""A script is read whole, or refused in a sentence that names the stage and the key, before anything is played."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from estimators.domain import DomainError
from estimators.process import CORTICAL
from hardware.model_cell import ModelCell
from rig_plugin.plug import NO_PLUGS, Plugs
from rig_plugin.rehearsal import rehearse, stimuli_of
from rig_plugin.script import read_script
from rig_plugin.settings import AmplifierSettings, ProtocolSettings, RigSettings, Settings, SettingsError
from rig_plugin.stages import DrugStage, FamilyStage, MembraneTestStage, RestStage, Stops, WaitStage
from simulators.limits import Limits
from simulators.parameter import Parameter
from tests.rig_plugin.estimate import PARAMETERS, passive

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "experiment.toml"
FAMILY = "[[stage]]\nkind = 'family'\namplitudes_pA = [50.0]\n"
ADAPTIVE = "[[stage]]\nkind = 'adaptive'\nC = 5.0\n"
DRUG = "[[stage]]\nkind = 'drug'\nconductance = 'g_M'\nfactor = -0.8\namplitudes_pA = [50.0]\n"
PLUGS = Plugs(adaptive=lambda stage, scene: None, drug=lambda stage, scene: None)


class Domain:
    """A network's domain that ends at 200 pA."""

    def check(self, context):
        if context.amplitude > 200.0:
            raise DomainError(f"{context.amplitude:g} pA is more than the network knows.")


KNOWN = (*PARAMETERS, Parameter("g_M", "mS/cm2", 0.001, 1.0, "log"))
CHECKPOINT = SimpleNamespace(domain=Domain(), spec=SimpleNamespace(parameters=KNOWN, process=CORTICAL))


@pytest.fixture
def script(tmp_path):
    def script(text):
        path = tmp_path / "experiment.toml"
        path.write_text(text, encoding="utf-8")
        return read_script(path)

    return script


def test_the_example_is_read_as_it_says():
    script = read_script(EXAMPLE)
    assert script.stops == Stops(30.0, 200.0, -50.0, 5.0, "stop")
    assert script.stages == (
        WaitStage(access=25.0, holding=150.0, within=120_000.0),
        WaitStage(rest=-55.0, within=60_000.0),
        RestStage(2000.0),
        FamilyStage(ProtocolSettings(amplitudes=(-50.0, 50.0, 100.0, 150.0))),
        MembraneTestStage("voltage", 2000.0),
        DrugStage("g_M", -0.8, ProtocolSettings(amplitudes=(-50.0, 100.0, 150.0))),
    )
    assert [stage.clamp for stage in script.stages[:2]] == ["voltage", "current"]
    told = json.loads(json.dumps(script.to_json(), allow_nan=False))
    assert [stage["kind"] for stage in told["stages"]] == ["wait", "wait", "rest", "family", "membrane-test", "drug"]
    rehearse(script, Settings(), CHECKPOINT, ModelCell(passive, room=1), PLUGS)
    amplitudes = [stimulus.amplitude for stimulus in stimuli_of(script)]
    assert amplitudes == [-50.0, 50.0, 100.0, 150.0, -50.0, 100.0, 150.0]


def test_adaptive_stages_and_drugs_are_read(script):
    adaptive, given = script(ADAPTIVE + DRUG).stages
    assert (adaptive.widths, adaptive.most, adaptive.least) == ({"C": 5.0}, 20, 0.05)
    assert (given.conductance, given.factor, given.protocol.amplitudes) == ("g_M", -0.8, (50.0,))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("[[stage]]", "one at least")),
        ("stage = 3", ("[[stage]]",)),
        ("[[stage]]", ("stage 1 kind is missing", "'membrane-test'")),
        (FAMILY + "[[stage]]\nkind = 'famly'", ("stage 2 kind is 'famly'", "'family'")),
        ("[rig]\n" + FAMILY, ("[rig] is unknown", "rig file")),
        ("stop = 1\n" + FAMILY, ("[stop]",)),
        ("[stop]\nacess_MOhm = 3\n" + FAMILY, ("[stop] has no key acess_MOhm", "access_MOhm")),
        ("[stop]\non_distrust = 'no'\n" + FAMILY, ("[stop] on_distrust is 'no'", "'go on'")),
        ("[[stage]]\nkind = 'wait'", ("[stage 1 (wait)] waits for nothing", "seal_GOhm")),
        ("[[stage]]\nkind = 'wait'\nrest_mV = 3", ("[stage 1 (wait)] rest_mV is 3", "-100 and -30")),
        ("[[stage]]\nkind = 'wait'\nrest_mV = -60\naccess_MOhm = 9", ("[stage 1 (wait)] rest_mV", "two stages")),
        ("[[stage]]\nkind = 'wait'\nrest_mV = -60\notherwise = 'x'", ("[stage 1 (wait)] otherwise is 'x'", "'go on'")),
        (
            "[[stage]]\nkind = 'rest'\nlasts_s = 0\n" + FAMILY,
            ("stage 1 (rest)] lasts_s is 0", "stage 2 (family) can't"),
        ),
        ("[[stage]]\nkind = 'membrane-test'\nlasts_s = 0\n" + FAMILY, ("lasts_s is 0", "stage 2 (family) can't be")),
        (FAMILY + "[[stage]]\nkind = 'wait'\nseal_GOhm = 1", ("[stage 2 (wait)] seal_GOhm can't", "stage 1 (family)")),
        (FAMILY + "interval_s = 3", ("[stage 1 (family)] interval_s", "rig file")),
        (FAMILY + "gap_free_s = 3", ("[stage 1 (family)] gap_free_s", "rest")),
        (FAMILY + "chosen_by = 'automatic'", ("[stage 1 (family)] chosen_by", "adaptive")),
        (FAMILY + "step_pA = 3", ("[stage 1 (family)] has amplitudes_pA and step_pA",)),
        ("[[stage]]\nkind = 'family'\namplitudes_pA = []", ("[stage 1 (family)] amplitudes_pA is empty",)),
        ("[[stage]]\nkind = 'drug'\nfactor = -0.8", ("[stage 1 (drug)] conductance is missing",)),
        ("[[stage]]\nkind = 'drug'\nconductance = 'g_M'", ("[stage 1 (drug)] factor is missing",)),
        (DRUG + "dose = 3", ("[stage 1 (drug)] has no key dose",)),
        ("[[stage]\nkind", ("no TOML", "mend that line")),
    ],
)
def test_a_script_that_is_wrong_is_refused_by_stage_and_key(script, text, words):
    with pytest.raises(SettingsError) as refused:
        script(text)
    assert all(word in str(refused.value) for word in (*words, "experiment.toml"))


def test_what_is_no_script_is_refused(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"\xff\xfe")
    for name, word in (("a.h5", "no text"), ("nowhere.toml", "can't be read")):
        with pytest.raises(SettingsError, match=word):
            read_script(tmp_path / name)


class Alive(ModelCell):
    """A rig with a cell."""

    is_alive = True


def with_clamp(*what, **how):
    return ModelCell(*what, **how, room=1)


HAND = AmplifierSettings(kind="manual", mode="current")


@pytest.mark.parametrize(
    ("text", "rest", "words"),
    [
        (FAMILY.replace("50", "5000"), {}, ("[stage 1 (family)]", "5000", "limits")),
        (FAMILY.replace("50", "50.0, 300"), {}, ("[stage 1 (family)] amplitudes_pA", "300 pA", "on_distrust")),
        ("[stop]\non_distrust = 'go on'\n" + FAMILY.replace("50", "300"), {}, ("(family)] has no sweep", "300 pA")),
        ("[[stage]]\nkind = 'family'\nstep_pA = 0", {}, ("[stage 1 (family)]", "step_pA")),
        ("[[stage]]\nkind = 'rest'\nholding_pA = -5000", {}, ("[stage 1 (rest)] holding_pA is -5000", "limits")),
        (ADAPTIVE, {"plugs": NO_PLUGS}, ("[stage 1 (adaptive)]", 'kind = "adaptive"', "leave the stage out")),
        (DRUG, {"plugs": NO_PLUGS}, ("[stage 1 (drug)]", "leave the stage out")),
        (ADAPTIVE.replace("C =", "g_X ="), {}, ("[stage 1 (adaptive)] has no key g_X", "bridge")),
        (ADAPTIVE.replace("5.0", "0"), {}, ("[stage 1 (adaptive)] C is 0", "positive")),
        (ADAPTIVE.replace("C = 5.0", ""), {}, ("[stage 1 (adaptive)] has no parameter",)),
        (DRUG.replace("'g_M'", "'g_X'"), {}, ("[stage 1 (drug)] conductance is 'g_X'", "bridge")),
        (DRUG, {}, ("[stage 1 (drug)] needs a dynamic clamp",)),
        (DRUG.replace("g_M", "C"), {"rig": with_clamp}, ("[stage 1 (drug)]", "no virtual drug on C", "g_leak")),
        (DRUG.replace("-0.8", "9"), {"rig": with_clamp}, ("[stage 1 (drug)] The factor on g_M is 9",)),
        ("[[stage]]\nkind = 'membrane-test'", {"rig": Alive}, ("(membrane-test)] clamp asks in voltage", "telegraph")),
        ("[[stage]]\nkind = 'wait'\nseal_GOhm = 1", {"amplifier": HAND}, ("(wait)] seal_GOhm asks in voltage", "mode")),
        (FAMILY, {"amplifier": AmplifierSettings(kind="manual", mode="voltage")}, ("(family)] kind asks in current",)),
        (ADAPTIVE, {"rig": Alive, "interval": 0.0, "amplifier": HAND}, ("interval_s is 0", "rest")),
    ],
)
def test_a_script_that_a_rig_and_a_network_can_t_play_is_refused(script, text, rest, words):
    settings = Settings(
        rig=RigSettings(pace="max"),
        amplifier=rest.get("amplifier", AmplifierSettings()),
        protocol=ProtocolSettings(interval=rest.get("interval", 5000.0)),
    )
    rig = rest.get("rig", ModelCell)(passive, limits=Limits(-500.0, 1000.0))
    with pytest.raises(SettingsError) as refused:
        rehearse(script(text), settings, CHECKPOINT, rig, rest.get("plugs", PLUGS))
    assert all(word in str(refused.value) for word in words)


def test_a_sweep_that_is_out_of_the_domain_is_played_where_distrust_goes_on(script):
    text = "[stop]\non_distrust = 'go on'\n" + FAMILY.replace("50", "50.0, 300")
    rehearse(script(text), Settings(), CHECKPOINT, ModelCell(passive), NO_PLUGS)
