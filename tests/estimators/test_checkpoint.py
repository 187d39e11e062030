import ast
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

import estimators.checkpoint
from estimators.cell import BESIDE
from estimators.checkpoint import CheckpointError, load, save


def refusal(path):
    """The one sentence with which a file is refused."""
    with pytest.raises(CheckpointError) as caught:
        load(path)
    told = str(caught.value)
    assert str(path) in told
    assert "\n" not in told
    assert told.endswith(".")
    return told


def damage(path, **changes):
    """Replace what the file holds: a new value for a dataset, or a function of its array."""
    with h5py.File(path, "a") as file:
        for key, change in changes.items():
            key = key.replace("__", "/")
            value = change(file[key][()]) if callable(change) else change
            del file[key]
            file[key] = value


def damage_weight(path, value, shape=None):
    with h5py.File(path, "a") as file:
        array = file["weights/flow.place.bias"][()]
        del file["weights/flow.place.bias"]
        array[3] = value
        file["weights/flow.place.bias"] = array if shape is None else np.zeros(shape, dtype=np.float32)


def test_a_checkpoint_comes_back_as_it_was(saved, checkpoint):
    there = load(saved)
    assert there.spec == checkpoint.spec
    assert there.record == checkpoint.record
    assert there.calibration == checkpoint.calibration
    assert there.domain == checkpoint.domain
    assert there.network.architecture == checkpoint.network.architecture
    assert not there.network.training
    for name, weight in checkpoint.network.state_dict().items():
        assert torch.equal(there.network.state_dict()[name], weight)
    for name, array in checkpoint.reference.items():
        assert np.array_equal(there.reference[name], array)


def test_a_loaded_network_draws_the_same(saved, checkpoint, sets):
    features, context = sets.features[:3].astype(float), sets.context[:3].astype(float)
    draws = [
        n.draw(features, context, 9, torch.Generator().manual_seed(1))
        for n in (checkpoint.network, load(saved).network)
    ]
    assert np.array_equal(*draws)


def test_the_seed_that_was_given_outlives_that_of_the_spec(saved, checkpoint, spec):
    assert load(saved).spec.seed == checkpoint.spec.seed != spec.seed


def test_a_file_that_is_there_is_never_overwritten(saved, checkpoint):
    before = saved.read_bytes()
    with pytest.raises(CheckpointError, match=r"never overwritten.*\.$"):
        save(saved, checkpoint)
    assert saved.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(checkpoint, tmp_path):
    with pytest.raises(CheckpointError, match="nowhere is no folder"):
        save(tmp_path / "nowhere" / "net.h5", checkpoint)


def test_nothing_half_written_is_left_behind(saved):
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_a_missing_file_is_refused(tmp_path):
    assert "is no file" in refusal(tmp_path / "none.h5")


def test_a_folder_is_refused(tmp_path):
    assert "is no file" in refusal(tmp_path)


@pytest.mark.parametrize("content", [b"", b"weights", b"\x80\x04K\x01.", b"\x89HDF\r\n\x1a\n" + bytes(500)])
def test_what_is_no_hdf5_is_refused(tmp_path, content):
    path = tmp_path / "net.h5"
    path.write_bytes(content)
    refusal(path)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.95, 0.999])
def test_a_truncated_file_is_refused(saved, share):
    os.truncate(saved, int(share * saved.stat().st_size))
    refusal(saved)


def test_flipped_bytes_are_refused_or_do_no_harm(saved, tmp_path, checkpoint, sets):
    sound = saved.read_bytes()
    path = tmp_path / "flipped.h5"
    features, context = sets.features[:2].astype(float), sets.context[:2].astype(float)
    wanted = checkpoint.network.draw(features, context, 3, torch.Generator().manual_seed(0))
    refused = 0
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(sound)
        for place in rng.integers(0, len(sound), 20):
            damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            network = load(path).network
        except CheckpointError as error:
            refused += 1
            assert "\n" not in str(error)
        else:
            assert np.array_equal(network.draw(features, context, 3, torch.Generator().manual_seed(0)), wanted)
    assert refused > 30


def test_a_flipped_bit_of_a_weight_is_refused(saved):
    with h5py.File(saved) as file:
        chunk = file["weights/flow.place.weight"].id.get_chunk_info(0)
    damaged = bytearray(saved.read_bytes())
    damaged[chunk.byte_offset + 5] ^= 1
    saved.write_bytes(damaged)
    assert "is damaged" in refusal(saved)


def test_a_giant_is_refused_unread(saved):
    os.truncate(saved, 65 * 2**20)
    assert "far more than any checkpoint" in refusal(saved)


def test_a_recording_is_no_checkpoint(tmp_path):
    with h5py.File(tmp_path / "cell.h5", "w") as file:
        file.attrs["format"] = "rig-plugin recording"
    assert "is no checkpoint of this version" in refusal(tmp_path / "cell.h5")


def test_weights_that_are_not_finite_are_refused(saved):
    damage_weight(saved, np.nan)
    assert "not finite" in refusal(saved)


def test_weights_of_another_shape_are_refused(saved):
    damage_weight(saved, 0.0, (5, 5))
    assert "has shape (5, 5)" in refusal(saved)


def test_a_missing_weight_is_refused(saved):
    with h5py.File(saved, "a") as file:
        del file["weights/flow.place.bias"]
    assert "is damaged" in refusal(saved)


@pytest.mark.parametrize("key", ["features", "context"])
def test_other_features_are_refused_and_named(saved, key):
    damage(saved, **{key: lambda text: json.dumps(["strange", *json.loads(text)[1:]])})
    told = refusal(saved)
    assert f"other {key}" in told
    assert "strange" in told


def test_features_in_another_order_are_refused(saved):
    damage(saved, features=lambda text: json.dumps(json.loads(text)[::-1]))
    assert "their order" in refusal(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda names: ["Q"],
        lambda names: names[1:],
        lambda names: [*names, "g_L"],
        lambda names: [*names, "coupling"],
        lambda names: [*names, "g_Kv3", "g_h"],
        lambda names: ["g_h", *names],
        lambda names: [*names, "g_h", "g_h"],
    ],
)
def test_other_parameters_are_refused(saved, spec, change):
    damage(saved, parameters=json.dumps([{"name": name} for name in change(list(spec.names))]))
    assert "infers other parameters" in refusal(saved)


@pytest.mark.parametrize("beside", [("g_h",), ("slow_share", "g_Kv3"), ("dendrite_ratio", "coupling"), BESIDE])
def test_a_network_that_infers_more_comes_back_as_it_was(checkpoint, made, sets, tmp_path, beside):
    spec = made.spec(*beside)
    network = made.network(spec, sets)
    save(tmp_path / "wide.h5", replace(checkpoint, network=network, spec=spec))
    there = load(tmp_path / "wide.h5")
    assert there.spec == spec
    assert there.spec.names[12:] == beside
    features, context = sets.features[:3].astype(float), sets.context[:3].astype(float)
    draws = [n.draw(features, context, 9, torch.Generator().manual_seed(1)) for n in (network, there.network)]
    assert np.array_equal(*draws)
    assert draws[0].shape == (9, 12 + len(beside))


@pytest.mark.parametrize(
    ("size", "value"),
    [
        ("width", 10**9),
        ("width", 18),
        ("layers", 0),
        ("bins", 1),
        ("hidden", 1.5),
        ("context", True),
        ("windows", 5),
    ],
)
def test_an_absurd_architecture_is_refused_before_memory_is_taken(saved, size, value):
    damage(saved, architecture=lambda text: json.dumps(json.loads(text) | {size: value}))
    assert size in refusal(saved)


def test_a_network_from_before_there_were_windows_has_none(saved, checkpoint):
    damage(saved, architecture=lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != "windows"}))
    assert load(saved).network.architecture == checkpoint.network.architecture


def test_a_spec_that_cannot_be_used_is_refused(saved):
    with h5py.File(saved, "a") as file:
        file.attrs["spec"] = "name = 'x'\nseed = 1\n"
    assert "prior.C is missing" in refusal(saved)


@pytest.mark.parametrize("line", ['C = { unit = "pF", low = 15.0', "scale = [20.0, 500.0]"])
def test_a_spec_that_was_tampered_with_is_refused(saved, line):
    with h5py.File(saved, "a") as file:
        text = file.attrs["spec"]
        assert line in text
        file.attrs["spec"] = text.replace(line, line.replace("5.0", "6.0").replace("500.0", "600.0"))
    assert "another prior or domain" in refusal(saved)


@pytest.mark.parametrize("name", ["novelty_tokens", "novelty_scores", "feature_range", "misfit_3"])
def test_a_missing_reference_is_refused(saved, name):
    with h5py.File(saved, "a") as file:
        del file[f"reference/{name}"]
    assert name in refusal(saved)


def test_a_reference_of_another_shape_or_without_numbers_is_refused(saved, tmp_path):
    other = shutil.copy(saved, tmp_path / "other.h5")
    damage(saved, reference__novelty_tokens=np.zeros((7, 3)))
    assert "has shape (7, 3)" in refusal(saved)
    damage(other, reference__misfit_1=np.array([0.1, np.nan]))
    assert "misfit_1" in refusal(other)


@pytest.fixture
def complete(taught, tmp_path):
    path = tmp_path / "complete.h5"
    save(path, taught)
    return path


def test_a_likelihood_comes_back_as_it_was(complete, taught):
    there = load(complete)
    for name in ("likelihood", "predictive", "watchman"):
        one, other = getattr(there, name).state_dict(), getattr(taught, name).state_dict()
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
        assert not getattr(there, name).training
    assert there.likelihood.parameters_of_cell == taught.spec.parameters
    assert there.predictive.parameters_of_cell == ()
    assert np.array_equal(there.reference["surprise_scores"], taught.reference["surprise_scores"])


def test_a_checkpoint_without_a_likelihood_is_read_as_ever(saved):
    there = load(saved)
    assert there.likelihood is there.predictive is there.watchman is None
    assert "surprise_scores" not in there.reference


@pytest.mark.parametrize("group", ["likelihood", "predictive"])
@pytest.mark.parametrize(("size", "value"), [("hidden", 10**9), ("width", 0), ("components", 1.5), ("extra", -1)])
def test_an_absurd_likelihood_is_refused(complete, group, size, value):
    damage(complete, **{f"{group}_shape": lambda text: json.dumps(json.loads(text) | {size: value})})
    assert f"{size} of the {group}" in refusal(complete)


@pytest.mark.parametrize(
    "name", ["likelihood", "likelihood_shape", "likelihood/chain.speak", "predictive/enter.weight", "watchman",
             "watchman/scaling.spread", "taught", "reference/surprise_scores"]
)  # fmt: skip
def test_a_likelihood_that_is_not_whole_is_refused(complete, name):
    with h5py.File(complete, "a") as file:
        del file[name]
    refusal(complete)


@pytest.mark.parametrize("name", ["likelihood/chain.speak", "predictive/scaling.centre", "watchman/layers.0.bias"])
def test_a_likelihood_without_numbers_is_refused(complete, name):
    damage(complete, **{name.replace("/", "__"): lambda array: np.full_like(array, np.nan)})
    assert "not finite" in refusal(complete)


@pytest.mark.parametrize("lessons", [[], {}, ["gain_10", "nothing that is known"]])
def test_a_watchman_who_was_taught_something_else_is_refused(complete, lessons):
    damage(complete, taught=json.dumps(lessons))
    assert "its watchman was taught" in refusal(complete)


def test_damaged_json_is_refused(saved):
    damage(saved, calibration="{'not': json")
    assert "is damaged" in refusal(saved)


def test_no_code_of_a_stranger_can_run():
    tree = ast.parse(Path(estimators.checkpoint.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    called = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not imported & {"pickle", "dill", "joblib", "marshal", "shelve"}
    assert not names & {"eval", "exec", "compile", "__import__"}
    # torch.load, numpy.load and their like unpickle.
    assert "load" not in called
