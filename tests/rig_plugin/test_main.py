import importlib
import json
import logging
import os
import re
import subprocess
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest

from rig_plugin.__main__ import COMMANDS, main, program
from rig_plugin.settings import Settings
from rig_plugin.trial import Latency, Posterior, Trial, Trust
from simulators.parameter import Parameter
from simulators.refusal import Refusal

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _same_hook_afterwards(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.delenv("RIG_PLUGIN_DEBUG", raising=False)


@pytest.fixture
def stand_in(monkeypatch):
    """Put functions in the place of a module that a command imports when it runs."""

    def put(module, **functions):
        there = types.SimpleNamespace(**functions)
        monkeypatch.setitem(sys.modules, module, there)
        # Once imported, a module is also found as an attribute of its package.
        package, _, name = module.rpartition(".")
        monkeypatch.setattr(importlib.import_module(package), name, there, raising=False)

    return put


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "cell.abf"
    path.write_bytes(b"ABF2")
    return str(path)


@pytest.fixture
def asked(stand_in):
    """What the commands ask of opening and app, as a list."""
    calls = []
    for module in ("rig_plugin.opening", "rig_plugin.app"):
        name = module.rpartition(".")[2]
        stand_in(
            module,
            network=lambda path: None,
            attach=lambda settings, *_, name=name, **rest: calls.append((name, settings, rest)) or a_session(),
            replay=lambda settings, *_, name=name: calls.append((name, settings)) or a_session(),
        )
    return calls


def a_trial(index, posterior=True):
    parameters = (Parameter("C", "pF", 15, 400, "log"),)
    return Trial(
        index=index,
        file_sweep=index,
        sweep=None,
        features={"spike_count": 3.0, "rest": -61.25},
        posterior=Posterior(parameters, np.linspace(50, 70, 101)[:, None]) if posterior else None,
        sweeps_used=index + 1,
        trust=Trust(posterior, 0.9, None if posterior else "The sweep is voltage clamp."),
        latency=Latency(1.5, 9.0, 10.5),
    )


def a_session(*trials):
    """What an opened session is to a command."""
    return types.SimpleNamespace(trials=lambda: iter(trials))


def in_a_process(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "rig_plugin", *arguments], cwd=ROOT, capture_output=True, text=True, **options
    )


def raiser(error):
    def fail(*_, **__):
        raise error

    return fail


def refusal(capsys, *arguments):
    """Standard error of a command line that has to be refused in one sentence."""
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "Usage:" not in told.err
    return told.err


def test_the_readme_shows_only_commands_and_options_that_are_there():
    shown = re.findall(r"^rig-plugin (\w+)(.*?)(?:  #.*)?$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert {name for name, _ in shown} >= {"app", "run", "replay", "pretrain", "check", "inspect"}
    for name, rest in shown:
        command = program.get_command(None, name)
        options = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[\w-]+", rest)) <= options


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=lambda words: " ".join(words) or "none")
def test_every_command_has_help(capsys, command):
    assert main([*command, "--help"]) == 0
    assert "Usage: rig-plugin" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["repaly"], "No such command 'repaly'"),
        (["run", "--sed", "1"], "No such option '--sed'"),
        (["run", "--sweeps", "0"], "'--sweeps': 0 is not in the range x>=1"),
        (["run", "--speed", "warp"], "'real', 'max'"),
        (["run", "none.toml"], "File 'none.toml' does not exist"),
        (["replay"], "Missing argument 'FILE'"),
        (["replay", "none.abf"], "File 'none.abf' does not exist"),
        (["replay", "."], "is a directory"),
        (["replay", __file__, "--junction-potential", "nan"], "nan mV was given, -50 to 50 mV was wanted"),
        (["replay", __file__, "--bridge", "1e9"], "1e+09 MOhm was given, -200 to 200 MOhm was wanted"),
        (["replay", __file__, "--sweep", "-1"], "-1 is not in the range x>=0"),
        (["pretrain", __file__], "Missing option '--out'"),
        (["pretrain", __file__, "--out", __file__], "never overwritten"),
        (["pretrain", __file__, "--out", "nowhere/NET.h5"], "nowhere is no folder"),
        (["run", "--out", __file__], "never overwritten"),
        (["bench", "nothing"], "There is no benchmark 'nothing'"),
        (["plugins", "more"], "unexpected extra argument"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else None,
)
def test_what_cannot_be_used_is_refused_in_one_sentence_with_the_remedy(capsys, arguments, said):
    told = refusal(capsys, *arguments)
    assert said in told
    assert "--help)." in told or arguments[0] == "bench"


def test_a_refusal_from_below_is_one_sentence_even_if_a_library_broke_its_lines(capsys, stand_in, recording):
    stand_in("hardware.inspection", inspect=raiser(Refusal("cell.abf is truncated:\n  copy it again.")))
    assert refusal(capsys, "inspect", recording) == "cell.abf is truncated: copy it again.\n"


def test_a_full_disk_is_refused_with_the_files_name(capsys, stand_in, recording):
    stand_in("hardware.inspection", inspect=raiser(OSError(28, "No space left on device", "OUT.h5")))
    assert refusal(capsys, "inspect", recording) == "OUT.h5 can't be used: No space left on device.\n"


def test_a_bad_rig_file_is_refused_before_anything_is_opened(capsys, asked, tmp_path):
    rig_file = tmp_path / "rig.toml"
    rig_file.write_text("[rig]\nrate = 1", encoding="utf-8")
    assert "[rig] has no key rate" in refusal(capsys, "run", str(rig_file), "--json")
    assert asked == []


def test_an_interrupt_ends_with_its_own_status(capsys, stand_in, recording):
    stand_in("hardware.inspection", inspect=raiser(KeyboardInterrupt()))
    assert main(["inspect", recording]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


@pytest.mark.parametrize("error", [RuntimeError("lost"), ValueError("bad"), OSError("pipe"), BrokenPipeError()])
def test_a_defect_is_left_to_travel_up(stand_in, recording, error):
    stand_in("hardware.inspection", inspect=raiser(error))
    with pytest.raises(type(error)):
        main(["inspect", recording])


DEFECT = "import rig_plugin.__main__ as m; m.program.invoke = lambda ctx: 1 / 0; m.main(['plugins'])"


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_defect_ends_with_status_one_and_says_how_to_see_where(debug):
    done = subprocess.run(
        [sys.executable, "-c", DEFECT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"RIG_PLUGIN_DEBUG": debug},
    )
    assert done.returncode == 1
    assert ("Traceback" in done.stderr) == bool(debug)
    assert done.stderr.splitlines()[-1] == (
        "A defect of rig-plugin, ZeroDivisionError: division by zero (set RIG_PLUGIN_DEBUG=1 to see where)."
    )


def test_a_refusal_shows_its_traceback_when_debugging(capsys, monkeypatch):
    monkeypatch.setenv("RIG_PLUGIN_DEBUG", "1")
    assert main(["bench", "nothing"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["plugins", "--json"], ["--help"]], ids=" ".join)
def test_a_reader_who_leaves_is_no_error(arguments):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "rig_plugin", *arguments], cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_libraries_say_stays_out_of_both_streams(capsys, stand_in, recording):
    def noisy(path, counting):
        sys.stdout.write("WARNING: odd header\n")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.warn("the future", FutureWarning, stacklevel=1)
        warnings.warn("the present", UserWarning, stacklevel=1)
        logging.getLogger("library").warning("hm")
        return {"kind": "abf", "problems": []}

    stand_in("hardware.inspection", inspect=noisy)
    assert main(["inspect", recording, "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == {"kind": "abf", "problems": []}
    assert told.err == ""


def test_the_programs_own_log_is_heard_in_one_line(capsys, stand_in, recording):
    def careful(path, counting):
        try:
            raise OSError("unplugged")
        except OSError:
            logging.getLogger("rig_plugin.session").exception("A listener failed")
        return {}

    stand_in("hardware.inspection", inspect=careful)
    assert main(["inspect", recording, "--json"]) == 0
    assert capsys.readouterr().err == "A listener failed: OSError: unplugged\n"


def test_nan_never_reaches_the_json(stand_in, recording):
    stand_in("hardware.inspection", inspect=lambda path, counting: {"rate": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        main(["inspect", recording, "--json"])


def test_inspect_without_json_is_readable(capsys, stand_in, recording):
    found = {"kind": "abf", "channels": [{"name": "Vm", "unit": "mV"}], "problems": ["No current was recorded."]}
    stand_in("hardware.inspection", inspect=lambda path, counting: found)
    assert main(["inspect", recording]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "kind  abf",
        "channels",
        "  name  unit",
        "  Vm    mV",
        "problems",
        "  No current was recorded.",
    ]


def test_what_holds_tables_itself_is_laid_out_below_its_name(capsys, stand_in, recording):
    found = {"protocols": [{"name": "steps", "sweeps": [0, 1], "epochs": [{"epoch": 0, "level_pA": -100.0}]}]}
    stand_in("hardware.inspection", inspect=lambda path, counting: found)
    assert main(["inspect", recording]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "protocols",
        "  name    steps",
        "  sweeps  0, 1",
        "  epochs",
        "    epoch  level_pA",
        "        0      -100",
    ]


@pytest.mark.parametrize("arguments", [[], ["app"]], ids=["bare", "app"])
def test_without_a_command_the_app_opens_on_a_simulated_cell(asked, arguments):
    assert main(arguments) == 0
    assert asked == [("app", Settings(), {})]


def test_a_bare_rig_file_opens_the_app_on_it(asked):
    assert main([str(ROOT / "docs" / "rig_simulated.toml")]) == 0
    ((where, settings, _),) = asked
    assert (where, settings.rig.seed) == ("app", 1)


def test_run_overrides_the_rig_file_with_what_was_typed(asked):
    assert (
        main(["run", str(ROOT / "docs" / "rig_simulated.toml"), "--sweeps", "3", "--seed", "7", "--speed", "max"]) == 0
    )
    ((where, settings, rest),) = asked
    assert (where, settings.rig.seed, settings.rig.pace) == ("opening", 7, "max")
    assert rest == {"sweeps": 3, "out": None, "listeners": ()}


def test_run_keeps_what_the_rig_file_says_where_nothing_was_typed(asked):
    assert main(["run", str(ROOT / "docs" / "rig_simulated.toml")]) == 0
    assert (asked[0][1].rig.seed, asked[0][1].rig.pace) == (1, "real")


def test_replay_reads_its_options_in_the_fields_units(asked, recording):
    options = ["--sweep", "2", "--epoch", "1", "--junction-potential", "-14.5", "--bridge", "9"]
    assert main(["replay", recording, *options, "--json"]) == 0
    ((where, settings),) = asked
    assert (where, settings.file, settings.sweep, settings.epoch) == ("opening", Path(recording), 2, 1)
    assert settings.junction_potential == -14.5
    assert settings.bridge == pytest.approx(0.009)
    assert settings.pace == "max"


def test_replay_without_json_goes_to_the_window_as_it_was_recorded(asked, recording):
    assert main(["replay", recording]) == 0
    assert (asked[0][0], asked[0][1].pace, asked[0][1].bridge) == ("app", "real", None)


def test_trials_are_one_json_object_a_line(capsys, stand_in, recording):
    stand_in("rig_plugin.opening", network=lambda path: None, replay=lambda *_: a_session(a_trial(0), a_trial(1)))
    assert main(["replay", recording, "--json"]) == 0
    seen = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [trial["trial"] for trial in seen] == [0, 1]


@pytest.mark.parametrize(("has_posterior", "last"), [(True, "pF"), (False, "voltage clamp.")])
def test_run_without_json_is_a_row_a_trial_and_the_posterior_at_the_end(capsys, stand_in, has_posterior, last):
    opened = a_session(a_trial(0), a_trial(1, has_posterior))
    stand_in("rig_plugin.opening", network=lambda path: None, attach=lambda *_, **__: opened)
    assert main(["run", "--sweeps", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["trial", "step"]
    assert [line.split()[0] for line in lines[1:3]] == ["0", "1"]
    assert lines[-1].endswith(last)


def test_pretrain_tells_progress_on_standard_error_and_the_summary_on_standard_output(capsys, stand_in, tmp_path):
    events = [{"event": "progress", "epoch": 1, "loss": 0.51234}, {"event": "summary", "cells": 100}]
    stand_in("estimators.pretraining", pretrain=lambda spec, out, **_: iter(events))
    arguments = ["pretrain", __file__, "--out", str(tmp_path / "NET.h5")]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert told.err == "epoch 1  loss 0.5123\n"
    assert "cells  100" in told.out
    assert main([*arguments, "--json"]) == 0
    told = capsys.readouterr()
    assert [json.loads(line) for line in told.out.splitlines()] == events
    assert told.err == ""


def test_pretrain_hands_its_number_of_workers_on(capsys, stand_in, tmp_path):
    stand_in(
        "estimators.pretraining", pretrain=lambda spec, out, *, workers, **_: iter([{"event": "summary", "n": workers}])
    )
    arguments = ["pretrain", __file__, "--out", str(tmp_path / "NET.h5"), "--json"]
    for given, wanted in (([], 1), (["--workers", "3"], 3)):
        assert main([*arguments, *given]) == 0
        assert json.loads(capsys.readouterr().out)["n"] == wanted
    assert main([*arguments, "--workers", "0"]) == 2
    capsys.readouterr()


def test_bench_says_on_what_machine_it_measured(capsys, monkeypatch, tmp_path):
    (tmp_path / "counting.py").write_text("def measure(peers): return [{'name': 'n', 'value': int(peers)}]")
    from rig_plugin import benchmarks

    monkeypatch.setattr(benchmarks, "__path__", [str(tmp_path)])
    assert main(["bench", "counting", "--no-peers", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert (measured["bench"], measured["figures"]) == ("counting", [{"name": "n", "value": 0}])
    assert measured["machine"]["cores"] >= 1


def test_plugins_lists_what_is_installed(capsys):
    assert main(["plugins", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["plugins"]
    assert {"rigs"} <= {row["kind"] for row in listed}
    (board,) = (row for row in listed if row["name"] == "nidaq")
    assert (board["needs"], board["installed"]) == ("nidaqmx", True)
    assert main(["plugins"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == [
        *("kind", "name", "from", "version", "at", "needs", "installed")
    ]


def test_the_module_is_the_command():
    done = in_a_process("plugins", "--json")
    assert done.returncode == 0
    assert set(json.loads(done.stdout)) == {"plugins"}
