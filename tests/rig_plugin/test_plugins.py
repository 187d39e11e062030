import subprocess
import sys
from importlib.metadata import version

import pytest

from rig_plugin import plugins
from rig_plugin.plugins import KINDS, PluginError, entry, load, make, names, needs


def test_an_installed_rig_is_found_and_loaded(install):
    install("[rig_plugin.rigs]\nmy-amplifier = an_amplifier:Amplifier\n", an_amplifier="class Amplifier: pass")
    assert "my-amplifier" in names("rigs")
    assert load("rigs", "my-amplifier").__name__ == "Amplifier"


def test_listing_imports_nothing(install):
    install("[rig_plugin.rigs]\nexplosive = explosive_rig:Rig\n", explosive_rig="raise SystemError")
    assert "explosive" in names("rigs")
    assert "explosive_rig" not in sys.modules


def test_an_unknown_name_is_answered_with_those_there_are(install):
    install("[rig_plugin.protocols]\nladder = a_ladder:ladder\nsteps = a_ladder:steps\n")
    with pytest.raises(PluginError, match=r"There is no 'stairs' among the protocols: there are .*ladder.*steps"):
        load("protocols", "stairs")


def test_a_missing_package_is_answered_with_the_extra(install):
    install("[rig_plugin.rigs]\nboard = a_board:Board [boards]\n", a_board="import board_driver_that_is_nowhere")
    with pytest.raises(PluginError) as caught:
        load("rigs", "board")
    assert str(caught.value) == (
        "'board' of the rigs needs board_driver_that_is_nowhere, which is not installed: "
        "pip install 'amplifiers[boards]'."
    )


def test_what_a_plugin_needs_is_told_with_what_is_missing_and_nothing_is_imported(install):
    install("[rig_plugin.rigs]\nboard = a_board:Board [boards]\nplain = a_board:Plain\n", a_board="raise SystemError")
    always = {"torch": version("torch"), "h5py": None}  # a version that nobody has
    assert needs(entry("rigs", "board")) == {**always, "board_driver-that.is-nowhere": None, "numpy": version("numpy")}
    assert needs(entry("rigs", "plain")) == always
    assert needs(entry("rigs", "model-cell")) == {}


def test_requirements_that_can_t_be_read_are_told(install):
    install("[rig_plugin.rigs]\nvague = a_rig:Rig\n", needs="some board, or another")
    with pytest.raises(PluginError, match=r"What amplifiers 1\.2 needs can't be read .*: ask its authors"):
        needs(entry("rigs", "vague"))


def test_a_missing_package_without_an_extra_is_named_itself(install):
    install("[rig_plugin.rigs]\nprobe = a_probe:Probe\n", a_probe="import probe_driver_that_is_nowhere")
    with pytest.raises(PluginError, match="pip install probe_driver_that_is_nowhere"):
        load("rigs", "probe")


@pytest.mark.parametrize("modules", [{}, {"half_a_rig": ""}], ids=["no module", "no attribute"])
def test_a_half_installed_plugin_is_to_be_reinstalled(install, modules):
    install("[rig_plugin.rigs]\nhalf = half_a_rig:Rig\n", **modules)
    with pytest.raises(PluginError, match="reinstall"):
        load("rigs", "half")


def test_of_two_that_bear_one_name_the_first_on_the_path_counts(install):
    install("[rig_plugin.rigs]\ntwin = second_twin:Rig\n", name="second", second_twin="Rig = complex")
    install("[rig_plugin.rigs]\ntwin = first_twin:Rig\n", name="first", first_twin="Rig = float")
    assert load("rigs", "twin") is float
    assert names("rigs").count("twin") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", r"can't be used, amplifiers 1\.2 fails with ZeroDivisionError: division by zero: update it"),
        ("from numpy import no_such_thing", r"can't be used, amplifiers 1\.2 fails with ImportError: cannot import"),
        ("rig = [1, 2]", r"is \[1, 2\], something to call was wanted: mend the entry point of amplifiers 1\.2"),
    ],
    ids=["fails", "imports what is not there", "nothing to call"],
)
def test_a_package_that_is_broken_is_named(text, said, install):
    install("[rig_plugin.rigs]\nbroken = broken_rig:rig\n", broken_rig=text)
    with pytest.raises(PluginError, match=f"'broken' of the rigs {said}"):
        load("rigs", "broken")


def test_an_entry_point_that_can_t_be_read_is_shown(install):
    install("[rig_plugin.rigs]\ngarbled = a rig somewhere\n")
    for use in (lambda: load("rigs", "garbled"), lambda: needs(entry("rigs", "garbled"))):
        with pytest.raises(
            PluginError, match=r"^The entry point of 'garbled' is 'a rig somewhere', one like .* was wanted: ask"
        ):
            use()


def test_what_fails_while_it_is_made_is_told_as_its_package_s_and_ours_as_ours(install, monkeypatch):
    install("[rig_plugin.rigs]\nbroken = falling_rig:rig\n", falling_rig="def rig(settings): raise KeyError('port')")
    with pytest.raises(PluginError, match=r"amplifiers 1\.2 fails with KeyError: 'port'"):
        make("rigs", "broken", None)
    monkeypatch.setattr("rig_plugin.rigs.model_cell", lambda settings: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make("rigs", "model-cell", None)


def test_the_program_registers_its_own_rigs_the_same_way():
    assert "model-cell" in names("rigs")


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in KINDS for name in names(kind)], ids=lambda value: value
)
def test_all_that_is_registered_can_be_loaded(kind, name):
    assert callable(load(kind, name))


def test_importing_the_registry_is_cheap():
    heavy = ("numpy", "torch", "click")
    code = f"import sys, rig_plugin.plugins as p; p.names('rigs'); sys.exit(any(m in sys.modules for m in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert plugins.KINDS == ("rigs", "simulators", "estimators", "features", "protocols")
