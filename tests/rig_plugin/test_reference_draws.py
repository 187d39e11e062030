"""The reference draws: fetched once, refused when changed, read without running anything."""

import subprocess
import zipfile

import numpy as np
import pytest

from rig_plugin.__main__ import main
from rig_plugin.tasks import reference
from rig_plugin.tasks.bernoulli_glm import BERNOULLI_GLM
from rig_plugin.tasks.catalogue import TASKS
from rig_plugin.tasks.reference import Wheel, WheelError, cached, fetch


@pytest.fixture
def empty(monkeypatch, tmp_path):
    """A cache with nothing in it."""
    monkeypatch.setattr(reference, "user_cache_path", lambda name: tmp_path / name)
    return tmp_path


@pytest.fixture(scope="module")
def wheel():
    """The wheel, where it was fetched before; tests fetch nothing."""
    if not cached().is_file():
        pytest.skip(f"The wheel with the reference draws is not in {cached()}.")
    return Wheel()


def pip(monkeypatch, code, said="", content=None):
    """Put a stand-in for pip there."""
    asked = []

    def run(command, **_):
        asked.append(command)
        if content is not None:
            folder = command[command.index("--dest") + 1]
            (reference.Path(folder) / reference._NAME).write_bytes(content)
        return subprocess.CompletedProcess(command, code, "", said)

    monkeypatch.setattr(reference.subprocess, "run", run)
    return asked


def test_a_changed_wheel_is_refused_before_it_is_opened(monkeypatch, tmp_path):
    path = tmp_path / "changed.whl"
    path.write_bytes(b"PK something else")
    monkeypatch.setattr(reference.zipfile, "ZipFile", lambda _: pytest.fail("It was opened."))
    with pytest.raises(WheelError, match=r"changed.whl has the SHA-256 [0-9a-f]{64}, and that of sbibm==1.1.0 is 12ec"):
        Wheel(path)


def test_without_a_network_one_sentence_names_the_remedy(monkeypatch, capsys, empty):
    pip(monkeypatch, 1, "WARNING: retrying\nERROR: No matching distribution found")
    assert main(["bench", "sbibm", "--task", "two_moons", "--json"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "could not be fetched (ERROR: No matching distribution found)" in told.err
    assert "pip download --no-deps sbibm==1.1.0" in told.err
    assert "--wheel" in told.err


def test_it_is_fetched_alone_and_once(monkeypatch, empty):
    content = b"the wheel"
    monkeypatch.setattr(reference, "SHA256", reference.hashlib.sha256(content).hexdigest())
    asked = pip(monkeypatch, 0, content=content)
    assert fetch() == cached()
    assert cached().read_bytes() == content
    (command,) = asked
    assert command[1:4] == ["-m", "pip", "download"]
    assert {"--no-deps", "sbibm==1.1.0"} < set(command)
    # No address in it: where from is the user's own affair.
    assert not [word for word in command if "://" in word]


def test_what_is_fetched_and_is_another_is_not_kept(monkeypatch, empty):
    pip(monkeypatch, 0, content=b"another")
    with pytest.raises(WheelError, match="was changed or cut short"):
        fetch()
    assert not cached().exists()
    assert list(cached().parent.iterdir()) == []


def test_a_reference_is_three_tables(monkeypatch, tmp_path):
    path = tmp_path / "small.whl"
    folder = "sbibm/tasks/slcp/files/num_observation_2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{folder}/observation.csv", "data_1,data_2\n1.5,2.5\n")
        archive.writestr(f"{folder}/observation_distractors.csv", "data_1,data_2,data_3\n1.5,0.0,2.5\n")
        archive.writestr(f"{folder}/true_parameters.csv", "parameter_1\n0.25\n")
        draws = reference.bz2.compress(b"parameter_1\n0.5\n0.75\n")
        archive.writestr(f"{folder}/reference_posterior_samples.csv.bz2", draws)
    monkeypatch.setattr(reference, "SHA256", reference.hashlib.sha256(path.read_bytes()).hexdigest())
    found = Wheel(path).reference("slcp", 2)
    np.testing.assert_array_equal(found.x, [1.5, 2.5])
    np.testing.assert_array_equal(found.theta, [0.25])
    np.testing.assert_array_equal(found.draws, [[0.5], [0.75]])
    np.testing.assert_array_equal(Wheel(path).reference("slcp_distractors", 2).x, [1.5, 0.0, 2.5])


def test_a_path_that_is_none_is_refused(tmp_path):
    with pytest.raises(WheelError, match=r"nothing\.whl can't be read"):
        Wheel(tmp_path / "nothing.whl")


@pytest.mark.parametrize("name", TASKS)
def test_the_published_observations_could_be_ours(wheel, name):
    found = wheel.reference(name, 1)
    x = TASKS[name].simulate(np.tile(found.theta, (400, 1)), np.random.default_rng(0))
    assert found.draws.shape == (10_000, len(found.theta))
    assert found.x.shape == (x.shape[1],)
    # Within the range of what the true parameters give again and again; heavy tails need room.
    low, high = x.min(0), x.max(0)
    room = 0.5 * (high - low) + 1e-3
    assert ((found.x >= low - room) & (found.x <= high + room)).all()


def test_the_published_posterior_of_the_linear_task_is_the_closed_form(wheel):
    found = wheel.reference("gaussian_linear", 3)
    np.testing.assert_allclose(found.draws.mean(0), 0.5 * found.x, atol=5 * np.sqrt(0.05 / 10_000))
    np.testing.assert_allclose(found.draws.var(0), 0.05, rtol=0.08)


def test_the_numbers_of_the_published_glm_are_sums_over_its_own_spikes(wheel):
    raw = wheel._zip.read("sbibm/tasks/bernoulli_glm/files/num_observation_1/observation_raw.csv")
    spikes = reference._table(raw)[0]
    from rig_plugin.tasks.bernoulli_glm import design

    np.testing.assert_allclose(spikes @ design(), wheel.reference(BERNOULLI_GLM.name, 1).x, atol=1e-5)


def test_the_distractors_of_the_published_observations_hide_the_eight_numbers_where_ours_do(wheel):
    from rig_plugin.tasks.slcp import distractors

    order = distractors()[2]
    whole = np.empty(100)
    whole[order] = wheel.reference("slcp_distractors", 4).x
    np.testing.assert_allclose(whole[:8], wheel.reference("slcp", 4).x, rtol=1e-6)
