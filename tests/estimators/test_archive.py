import json
import math

import h5py
import numpy as np
import pytest
import torch

from estimators.archive import ArchiveError, load, save
from estimators.ensemble import Estimator
from estimators.heads import HEADS
from estimators.network import Plan
from estimators.prior import Prior

PRIOR = Prior.mixed(Prior.uniform([0.0], [1.0]), Prior.log_normal([0.0], [[4.0]]), names=["g_Na", "tau"])


def make(head):
    x = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    x[::4, 2] = math.nan
    with torch.random.fork_rng():
        torch.manual_seed(1)
        networks = [Plan(head, 3, 2, width=8, dropout=0.1).network() for _ in range(2)]
    for network in networks:
        network.straightening.fit(x)
    return Estimator(PRIOR, networks, {"head": head, "rows": 100})


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "estimator.h5"
    save(path, make("mixture"))
    return path


@pytest.mark.parametrize("head", list(HEADS))
def test_what_was_saved_is_loaded_to_the_last_bit(head, tmp_path):
    estimator = make(head)
    save(tmp_path / "estimator.h5", estimator)
    again = load(tmp_path / "estimator.h5")
    x = [[0.1, -2.0, 3.0], [1.0, 0.0, math.nan]]
    theta = torch.tensor([0.3, 2.0])
    assert torch.equal(again(x).log_prob(theta), estimator(x).log_prob(theta))
    draws = [one(x).sample((4,), generator=torch.Generator().manual_seed(2)) for one in (estimator, again)]
    assert torch.equal(*draws)
    assert again.record == estimator.record
    assert again.prior.names == ("g_Na", "tau")


def test_loading_leaves_the_randomness_of_others_alone(saved):
    torch.manual_seed(8)
    expected = torch.rand(3)
    torch.manual_seed(8)
    load(saved)
    assert torch.equal(torch.rand(3), expected)


def change(key, **values):
    def damage(file):
        table = json.loads(file[key][()])
        (table[0] if isinstance(table, list) else table).update(values)
        del file[key]
        file[key] = json.dumps(table)

    return damage


def weight(value, shape=None):
    def damage(file):
        stored = file["weights/1/embedding.enter.bias"]
        array = np.full(shape or stored.shape, value, dtype=np.float32)
        del file["weights/1/embedding.enter.bias"]
        file["weights/1/embedding.enter.bias"] = array

    return damage


def drop(key):
    def damage(file):
        del file[key]

    return damage


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (weight(math.nan), "not finite"),
        (weight(0.0, (9,)), r"has shape \(9,\), \(8,\) was wanted"),
        (drop("weights/1/embedding.enter.bias"), "damaged or no estimator"),
        (drop("prior"), "damaged or no estimator"),
        (drop("plans"), "damaged or no estimator"),
        (change("plans", width=10**9), "width is 1000000000"),
        (change("plans", width=4096, blocks=60), "was wanted"),
        (change("plans", blocks=500), "make no network"),
        (change("plans", width=True), "width is True"),
        (change("plans", head="pickle"), "none that this program has"),
        (change("plans", sizes={"components": 3}), "none that this program has"),
        (change("plans", parameters=3), "infers 3 parameters, but its prior has 2"),
        (change("prior", names=["a"]), "damaged or no estimator"),
        (change("prior", parts=[{"kind": "pickle"}]), "damaged or no estimator"),
    ],
)
def test_a_damaged_file_is_refused_in_words(saved, damage, words):
    with h5py.File(saved, "r+") as file:
        damage(file)
    with pytest.raises(ArchiveError, match=words):
        load(saved)


def test_a_flipped_bit_is_no_weight(saved):
    raw = bytearray(saved.read_bytes())
    with h5py.File(saved, "r") as file:
        place = file["weights/0/embedding.enter.weight"].id.get_chunk_info(0).byte_offset
    raw[place + 5] ^= 64
    saved.write_bytes(bytes(raw))
    with pytest.raises(ArchiveError, match="damaged"):
        load(saved)


@pytest.mark.parametrize("content", [b"", b"no file of ours", b"\x89HDF\r\n\x1a\n" + bytes(200)])
def test_what_is_no_archive_is_refused(tmp_path, content):
    path = tmp_path / "estimator.h5"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="damaged or no estimator"):
        load(path)


def test_a_file_of_another_version_is_refused(saved):
    with h5py.File(saved, "r+") as file:
        file.attrs["format"] = "rig-plugin estimator 0"
    with pytest.raises(ArchiveError, match="fit it anew"):
        load(saved)


def test_nothing_is_overwritten_and_no_folder_is_made_up(saved, tmp_path):
    with pytest.raises(ArchiveError, match="never overwritten"):
        save(saved, make("mixture"))
    with pytest.raises(ArchiveError, match="is no folder"):
        save(tmp_path / "nowhere" / "estimator.h5", make("mixture"))
    with pytest.raises(ArchiveError, match="is no file"):
        load(tmp_path / "nothing.h5")
