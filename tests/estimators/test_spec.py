"""Specs are read whole or refused in one sentence that names file and key."""

import re
import tomllib
from dataclasses import asdict, fields
from importlib.resources import files
from pathlib import Path

import pytest

from estimators.cell import BESIDE, CELL
from estimators.designs import Designs
from estimators.nuisances import OFF, Nuisances
from estimators.spec import Schooling, SpecError, Training, read_spec, spec_from
from simulators.patchseq import PatchSeq

TEXT = (files("estimators.pretrained") / "cortical-steps.toml").read_text(encoding="utf-8")

LATER = ("capacitance", "flicker", "junction", "adc_range", "adc_step")

BATH = ("E_Ca", "temperature", "membrane_noise")


def refused(text):
    with pytest.raises(SpecError) as error:
        spec_from(text, "mine.toml")
    message = str(error.value)
    assert message.startswith("mine.toml")
    assert "\n" not in message
    return message


def changed(old, new):
    assert TEXT.count(old) >= 1
    return TEXT.replace(old, new, 1)


def key(name):
    """The line of a key in the shipped spec."""
    return next(line for line in TEXT.splitlines() if line.startswith(f"{name} = "))


def test_the_shipped_spec_is_read_whole(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TEXT, encoding="utf-8")
    spec = read_spec(path)
    table = tomllib.loads(TEXT)
    assert (spec.name, spec.seed, spec.text) == (table["name"], table["seed"], TEXT)
    assert [parameter.name for parameter in spec.parameters] == [*CELL, "discrepancy"]
    for parameter in spec.parameters:
        assert {f.name: getattr(parameter, f.name) for f in fields(parameter) if f.name != "name"} == table["prior"][
            parameter.name
        ]
        assert parameter.meaning
    for section in ("designs", "nuisances", "training"):
        read = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(getattr(spec, section)).items()}
        assert {name: read[name] for name in table[section]} == table[section]
        # What it does not name came later: it is off, shows of nothing that is on, or surrounds other cells.
        left = read.keys() - table[section].keys()
        plain = {"series", "changes", "windows", "network"}
        assert left <= {*plain, *LATER, *BATH}
        assert not read.get("windows") and not read.get("network")
        assert all(read[name] == list(OFF) for name in left - {*plain, *BATH})
        assert not spec.process.bath.keys() & set(BATH)


def test_what_is_kept_of_a_spec_reads_as_the_spec():
    spec = spec_from(TEXT, "mine.toml")
    assert spec_from(spec.text, "a checkpoint") == spec


def test_the_order_of_the_prior_is_that_of_the_process_whatever_the_files():
    lines = {name: key(name) for name in ("C", "offset")}
    swapped = TEXT.replace(lines["C"], "@").replace(lines["offset"], lines["C"]).replace("@", lines["offset"])
    assert spec_from(swapped, "mine.toml").parameters == spec_from(TEXT, "mine.toml").parameters


def test_sections_left_out_have_their_defaults():
    prior = TEXT[TEXT.index("\n[prior]") : TEXT.index("\n[nuisances]")]
    spec = spec_from(f'name = "n"\nseed = 0\n{prior}', "mine.toml")
    assert (spec.designs, spec.nuisances, spec.training) == (Designs(), Nuisances(), Training())


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('name = "cortical-steps"', 'names = "x"', "names"),
        ("[training]", "[trainings]", "trainings"),
        ("g_M = {", "g_X = {", "prior.g_X"),
        ("meaning = ", "means = ", "prior.C.means"),
        ("walk = ", "walks = ", "nuisances.walks"),
        ("prepulse = ", "prepulses = ", "designs.prepulses"),
        ("batch = ", "batches = ", "training.batches"),
    ],
)
def test_an_unknown_key_is_refused_by_its_name(old, new, named):
    message = refused(changed(old, new))
    assert f"the key {named} is unknown; known are " in message


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("name", '""', "name is ''"),
        ("name", "5", "name is 5"),
        ("seed", "-1", "seed is -1"),
        ("seed", "1.5", "seed is 1.5"),
        ("seed", "true", "seed is True"),
        ("scale", '"wide"', "designs.scale is 'wide'"),
        ("scale", "[1, 2, 3]", "designs.scale is [1, 2, 3]"),
        ("scale", "[500.0, 20.0]", "designs.scale is [500.0, 20.0]"),
        ("scale", "[20.0, nan]", "designs.scale is [20.0, nan]"),
        ("scale", "[20.0, true]", "designs.scale is [20.0, True]"),
        ("prepulse", "nan", "designs.prepulse is nan"),
        ("prepulse", "true", "designs.prepulse is True"),
        ("E_K", "-90.0", "nuisances.E_K is -90.0"),
        ("drift", "-0.3", "nuisances.drift is -0.3"),
        ("cells", "1.5", "training.cells is 1.5"),
        ("batch", "0", "training.batch is 0"),
        ("learning_rate", "inf", "training.learning_rate is inf"),
    ],
)
def test_an_unusable_value_is_refused_by_its_key(name, value, named):
    message = refused(changed(key(name), f"{name} = {value}"))
    assert f"mine.toml: {named}" in message
    assert message.endswith("was wanted.")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('unit = "pF", ', ""),
        ("low = 15.0", "low = 0.0"),
        ("low = 15.0", 'low = "small"'),
        ("low = 15.0", "low = 500.0"),
        ("low = 15.0", "low = nan"),
        ('scale = "log"', 'scale = "logarithmic"'),
    ],
)
def test_an_unusable_prior_is_refused_by_its_parameter(old, new):
    assert "prior.C can't be used: " in refused(changed(old, new))


def test_a_missing_parameter_is_refused_by_its_name():
    assert "prior.offset is missing; give its unit, low, high and scale." in refused(changed(key("offset"), ""))


@pytest.mark.parametrize("text", ["", "seed = 1", "name = \x00", "name ="])
def test_what_is_no_spec_is_refused(text):
    refused(text)


def test_a_section_that_is_no_table_is_refused():
    before = TEXT[: TEXT.index("\n[designs]")]
    message = refused(f"designs = 5\n{before}")
    assert "designs is 5, a table [designs] was wanted." in message


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir(), lambda p: p.write_bytes(b"name = '\xff'")])
def test_a_file_that_cannot_be_read_is_refused_by_its_name(tmp_path, make):
    path = tmp_path / "mine.toml"
    make(path)
    with pytest.raises(SpecError, match=r"mine\.toml can't be read .*; give the path of a pretraining spec"):
        read_spec(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", "[0.0, 500.0]"),
        ("scale", "[-20.0, 500.0]"),
        ("scale", "[20.0, inf]"),
        ("duration", "[-5.0, 1000.0]"),
        ("interval", "[0.0, 20.0]"),
        ("tail", "[-20.0, 300.0]"),
        ("sweeps", "[0, 40]"),
        ("sweeps", "[1.5, 40.5]"),
        ("prepulse", "2.5"),
        ("white", "[0.0, 0.5]"),
        ("corner", "[0.1, 100.0]"),
        ("walk", "[0.0, 3.0e7]"),
        ("learning_rate", "0"),
        ("held_out", "1000000000"),
    ],
)
def test_a_range_that_cannot_be_drawn_from_is_refused(name, value):
    assert name in refused(changed(key(name), f"{name} = {value}"))


@pytest.mark.parametrize("unit", ['"nF"', "5"])
def test_a_prior_in_another_unit_is_refused(unit):
    assert "prior.C" in refused(changed('unit = "pF"', f"unit = {unit}"))


def nuisance(name, value):
    """The shipped spec with one more nuisance."""
    return changed("[nuisances]\n", f"[nuisances]\n{name} = {value}\n")


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("series", (5.0, 30.0)),
        ("capacitance", (0.0, 8.0)),
        ("flicker", (0.01, 0.1)),
        ("junction", (-2.0, 2.0)),
        ("adc_range", (100.0, 1000.0)),
        ("adc_step", (0.001, 0.05)),
        *[(name, OFF) for name in LATER],
    ],
)
def test_more_of_the_electrode_can_be_switched_on_and_off(name, bounds):
    assert getattr(spec_from(nuisance(name, list(bounds)), "mine.toml").nuisances, name) == bounds


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("series", "[0.0, 0.0]", "0.1 to 200"),
        ("capacitance", "[1.0, 60.0]", "0 to 50"),
        ("flicker", "[-0.1, 0.1]", "0 to 10"),
        ("junction", "[-60.0, 0.0]", "-50 to 50"),
        ("adc_range", "[0.0, 100.0]", "50 to 10000"),
        ("adc_step", "0.1", "a pair [low, high]"),
        ("adc_step", "[0.2, 0.1]", "a pair [low, high]"),
    ],
)
def test_more_of_the_electrode_is_checked(name, value, wanted):
    message = refused(nuisance(name, value))
    assert f"nuisances.{name} is " in message
    assert wanted in message


OPTIONAL = {
    "g_h": '{ unit = "mS/cm2", low = 0.001, high = 0.1, scale = "log" }',
    "slow_share": '{ unit = "1", low = 0.0, high = 1.0 }',
    "g_Kv3": '{ unit = "mS/cm2", low = 0.1, high = 20.0, scale = "log" }',
    "dendrite_ratio": '{ unit = "1", low = 0.3, high = 3.0, scale = "log" }',
    "coupling": '{ unit = "nS", low = 2.0, high = 60.0, scale = "log" }',
    "discrepancy": '{ unit = "1", low = 0.02, high = 0.4, scale = "log" }',
}


PLAIN = re.sub("\ndiscrepancy = .*", "", TEXT)


def besides(**given):
    """The shipped spec with something else beside the twelve, before all else, in the order given."""
    lines = "\n".join(f"{name} = {entry}" for name, entry in given.items())
    return PLAIN.replace("[prior]\n", f"[prior]\n{lines}\n")


@pytest.mark.parametrize("names", [("g_h",), ("g_Kv3", "slow_share"), ("coupling", "dendrite_ratio"), BESIDE[::-1]])
def test_what_is_beside_the_twelve_follows_them_in_the_order_of_the_process(names):
    spec = spec_from(besides(**{name: OPTIONAL[name] for name in names}), "mine.toml")
    assert spec.names == (*CELL, *(name for name in BESIDE if name in names))
    assert spec.parameters[:12] == spec_from(PLAIN, "mine.toml").parameters


def test_every_parameter_beside_has_a_unit_that_is_checked():
    assert tuple(OPTIONAL) == BESIDE
    for name, entry in OPTIONAL.items():
        both = OPTIONAL if name in ("dendrite_ratio", "coupling") else {}
        message = refused(besides(**{**both, name: entry.replace("unit = ", 'unit = "furlong", meaning = ')}))
        assert f"prior.{name} can't be used: its unit is 'furlong'" in message


@pytest.mark.parametrize(("one", "other"), [("dendrite_ratio", "coupling"), ("coupling", "dendrite_ratio")])
def test_half_a_dendrite_is_refused(one, other):
    assert f"prior.{one} is half a dendrite; give prior.{other} too, or neither." in refused(
        besides(**{one: OPTIONAL[one]})
    )


@pytest.mark.parametrize(
    ("name", "low", "high", "wanted"),
    [
        ("g_h", -0.1, 0.1, "from 0 to 1 (unit mS/cm2)"),
        ("slow_share", 0.0, 1.5, "from 0 to 1 (unit 1)"),
        ("g_Kv3", 0.0, 1000.0, "from 0 to 100 (unit mS/cm2)"),
        ("dendrite_ratio", 0.01, 1.0, "from 0.1 to 10 (unit 1)"),
        ("coupling", 0.0, 300.0, "from 0 to 200 (unit nS)"),
        ("discrepancy", 0.1, 5.0, "from 0 to 2 (unit 1)"),
    ],
)
def test_what_the_kernel_cannot_have_is_refused(name, low, high, wanted):
    unit = OPTIONAL[name].split('"')[1]
    message = refused(besides(**{**OPTIONAL, name: f'{{ unit = "{unit}", low = {low}, high = {high} }}'}))
    assert f"prior.{name} can't be used: it lies between {low:g} and {high:g}" in message
    assert wanted in message


def test_the_example_of_the_readme_is_read_whole():
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```\n\[prior\] +# beside the twelve\n(.*?)```", readme, re.DOTALL)
    spec = spec_from(PLAIN.replace("[prior]\n", f"[prior]\n{example}"), "mine.toml")
    assert spec.names == (*CELL, *BESIDE)


def test_without_a_section_the_likelihood_is_made_by_its_defaults():
    assert "[likelihood]" not in TEXT
    assert spec_from(TEXT, "mine.toml").likelihood == Schooling()


def test_how_the_likelihood_is_made_can_be_chosen_key_by_key():
    found = spec_from(f"{TEXT}\n[likelihood]\nrows = 7000\nlearning_rate = 1e-4\n", "mine.toml").likelihood
    assert (found.rows, found.learning_rate, found.epochs) == (7000, 1e-4, Schooling().epochs)


@pytest.mark.parametrize(
    ("line", "said"),
    [("rows = 0", "rows"), ("hidden = 1.5", "hidden"), ("learning_rate = -1.0", "learning_rate"), ("rate = 1", "rate")],
)
def test_what_the_likelihood_cannot_use_is_refused_by_its_key(line, said):
    assert f"likelihood.{said}" in refused(f"{TEXT}\n[likelihood]\n{line}\n")


PATCHSEQ = (files("estimators.pretrained") / "patchseq-13.toml").read_text(encoding="utf-8")


def test_the_patchseq_spec_has_exactly_the_published_prior():
    spec = spec_from(PATCHSEQ, "mine.toml")
    assert spec.process.name == "patchseq"
    assert len(PatchSeq.parameters) == 13
    for ours, published in zip(spec.parameters[:13], PatchSeq.parameters, strict=True):
        assert (ours.name, ours.unit, ours.scale) == (published.name, published.unit, "linear")
        assert (ours.low, ours.high) == (published.low, published.high)
        assert ours.meaning
    assert spec.names[13:] == ("bridge", "offset", "discrepancy")
    assert spec.parameters[13:15] == spec_from(TEXT, "cortical-steps").parameters[10:12]


def test_the_patchseq_spec_lies_about_the_published_bath_and_steps():
    spec = spec_from(PATCHSEQ, "mine.toml")
    published = {"E_Na": 69.0, "E_K": -98.4, "E_Ca": 127.2, "temperature": 25.0, "membrane_noise": 10.0 * 0.04**0.5}
    assert published.keys() == spec.process.bath.keys()
    for name, value in published.items():
        low, high = getattr(spec.nuisances, name)
        middle = (low * high) ** 0.5 if spec.process.bath[name] == "log" else 0.5 * (low + high)
        assert middle == pytest.approx(value)
    assert spec.designs.duration[0] <= 600.0 <= spec.designs.duration[1]
    assert spec.designs.scale[0] <= 20.0


def test_a_spec_without_a_model_is_cortical_and_may_say_so():
    assert "\nmodel = " not in TEXT
    said = spec_from(f'model = "cortical"\n{TEXT}', "mine.toml")
    assert said.process.name == spec_from(TEXT, "mine.toml").process.name == "cortical"
    assert said.parameters == spec_from(TEXT, "mine.toml").parameters


@pytest.mark.parametrize("model", ['"squid"', "3", '["cortical"]', '""'])
def test_a_model_that_is_none_is_refused(model):
    assert "'cortical' or 'patchseq' was wanted." in refused(f"model = {model}\n{TEXT}")


def test_parameters_of_another_model_are_refused():
    assert "the key prior.g_leak is unknown" in refused(f'model = "patchseq"\n{TEXT}')
    assert "the key prior.R_in is unknown" in refused(PATCHSEQ.replace('model = "patchseq"', 'model = "cortical"'))
    g_h = OPTIONAL["g_h"]
    assert "the key prior.g_h is unknown" in refused(PATCHSEQ.replace("[prior]\n", f"[prior]\ng_h = {g_h}\n", 1))


@pytest.mark.parametrize("name", BATH)
def test_what_surrounds_other_cells_is_refused(name):
    assert f"nuisances.{name} is nothing that the model 'cortical' has; leave it out." in refused(
        nuisance(name, "[2.0, 3.0]")
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[122.2, 132.2]", "[-10.0, 132.2]", "nuisances.E_Ca"),
        ("[24.0, 26.0]", "[24.0, 60.0]", "nuisances.temperature"),
        ("[0.5, 8.0]", "[0.0, 8.0]", "nuisances.membrane_noise"),
        ('unit = "uF/cm2"', 'unit = "pF"', "prior.C can't be used: its unit is 'pF', 'uF/cm2' was wanted"),
        ("high = 1000.0", "high = 1001.0", "bounds from 20 to 1000 (unit MOhm) were wanted"),
    ],
)
def test_what_a_patchseq_cell_cannot_have_is_refused(old, new, said):
    assert PATCHSEQ.count(old) == 1
    assert said in refused(PATCHSEQ.replace(old, new))


@pytest.mark.parametrize(("old", "new"), [("high = 400.0", "high = 4000.0"), ("high = -45.0", "high = 45.0")])
def test_a_prior_wider_than_the_simulator_takes_is_refused(old, new):
    assert "were wanted." in refused(changed(old, new))
