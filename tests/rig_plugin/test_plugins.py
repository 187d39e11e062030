import subprocess
import sys
from importlib.metadata import version

import pytest

from rig_plugin import plugins
from rig_plugin.plugins import KINDS, PluginError, entry, load, names, needs

METADATA = (
    "Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\nProvides-Extra: boards\nProvides-Extra: toys\n"
    "Requires-Dist: torch\nRequires-Dist: board_driver-that.is-nowhere[grpc]>=1.1; extra == 'boards'\n"
    'Requires-Dist: numpy ; extra == "boards"\nRequires-Dist: scipy; extra == "toys"\n'
)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a distribution on the path, as pip would, with these entry points and modules."""

    def write(points, name="amplifiers", **modules):
        site = tmp_path / name
        folder = site / f"{name}-1.2.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(METADATA.format(name=name), encoding="utf-8")
        (folder / "entry_points.txt").write_text(points, encoding="utf-8")
        for module, text in modules.items():
            (site / f"{module}.py").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))

    return write


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
    assert needs(entry("rigs", "board")) == {"board_driver-that.is-nowhere": None, "numpy": version("numpy")}
    assert needs(entry("rigs", "plain")) == {}


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
    install("[rig_plugin.rigs]\ntwin = second_twin:Rig\n", name="second", second_twin="Rig = 2")
    install("[rig_plugin.rigs]\ntwin = first_twin:Rig\n", name="first", first_twin="Rig = 1")
    assert load("rigs", "twin") == 1
    assert names("rigs").count("twin") == 1


def test_a_plugins_own_defect_is_not_taken_for_a_missing_package(install):
    install("[rig_plugin.rigs]\nbroken = broken_rig:Rig\n", broken_rig="1 / 0")
    with pytest.raises(ZeroDivisionError):
        load("rigs", "broken")


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
